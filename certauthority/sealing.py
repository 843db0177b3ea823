"""Short secrets that the database keeps: encrypted with a key derived from ``SECRET_KEY``.

It guards what leaks of the database alone: a backup, a query. Whoever has ``SECRET_KEY`` too can open everything.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

from certauthority.errors import CAError


class Unreadable(CAError):
    """What was sealed does not open: another ``SECRET_KEY`` sealed it, or somebody changed it."""

    def __init__(self) -> None:
        super().__init__("A stored secret cannot be read. Was SECRET_KEY changed? Then whoever set it up does so anew.")


def seal(text: str, *, purpose: str) -> str:
    """Encrypt a text and protect it from changes. What was sealed for one ``purpose`` does not open for another."""
    return _box(purpose).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, purpose: str) -> str:
    """The text that was sealed for this purpose, with today's ``SECRET_KEY`` or one of ``SECRET_KEY_FALLBACKS``.

    Raises:
        Unreadable: it does not open.
    """
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable from error


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(key, purpose)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret_key: str | bytes, purpose: str) -> bytes:
    """32 octets by HKDF (RFC 5869). ``SECRET_KEY`` has full entropy in every mode, so that no slow hash is needed."""
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"certauthority.sealing:{purpose}".encode())
    return base64.urlsafe_b64encode(derivation.derive(force_bytes(secret_key)))
