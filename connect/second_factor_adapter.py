"""What django-allauth's second factors do differently here: secrets are encrypted, passkeys belong to one name."""

from __future__ import annotations

from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from certauthority.sealing import seal, unseal
from connect.models import User

_PURPOSE = "second factor"


class SecondFactorAdapter(DefaultMFAAdapter):
    """The site's settings of ``allauth.mfa`` that are code."""

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        return seal(text, purpose=_PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret of the database.

        Raises:
            certauthority.sealing.Unreadable: it was sealed with another ``SECRET_KEY``.
        """
        return unseal(encrypted_text, purpose=_PURPOSE)

    def get_totp_label(self, user: User) -> str:
        """The account as apps list it: issuer and address, as their key URI format asks for."""
        return f"{settings.MFA_TOTP_ISSUER}:{user.email}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The name that passkeys belong to: of ``SITE_URL``, whatever name a request came by."""
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": settings.MFA_TOTP_ISSUER}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, str | bytes]:
        """Whose passkey it is, as browsers list it."""
        return {"id": str(user.pk).encode(), "name": user.email, "display_name": user.name or user.email}
