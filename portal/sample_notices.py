"""An invented example of each notice of the Developers portal. Nothing of it is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from connect.certificate_facts import Fact, identity, in_words
from connect.models import User
from connect.samples import Example, register

_ALIAS, _PROJECT, _ENVIRONMENT = "payouts-2027", "Cross-Border Payouts", "Production"
_COMMON_NAME = "1801526400-Client-PROD-245901"
_SERIAL = "1b06c2d94e8f47a3905d7ce1482af613"
_FINGERPRINT = "c40b7de2915f3a680d1e9b4475ac28f6017fd35b8ae96c10422eb8d7530fa19c"


def _facts() -> list[Fact]:
    return [
        Fact("Certificate", _ALIAS),
        Fact("Project", _PROJECT),
        Fact("Environment", _ENVIRONMENT),
        *identity(common_name=_COMMON_NAME, serial=_SERIAL, fingerprint=_FINGERPRINT, issuer="Developers CA 1"),
    ]


def _certificate(**more: object) -> dict[str, object]:
    return {"alias": _ALIAS, "project": _PROJECT, "environment": _ENVIRONMENT, **more}


def _added(user: User, now: datetime) -> Example:
    facts = [*_facts(), Fact("Valid from", in_words(now)), Fact("Expires", in_words(now + timedelta(days=396)))]
    context = _certificate(
        replaces="payouts-2026", replaced_is_live=True, by=user.email, method="Paste in a CSR", facts=facts
    )
    return Example(reverse("portal:projects"), context)


def _revoked(user: User, now: datetime) -> Example:
    facts = [*_facts(), Fact("Revoked", in_words(now))]
    context = _certificate(
        is_revoked=True, by=user.email, reason="Key compromise", successor="", new_key=True, facts=facts
    )
    return Example(reverse("portal:projects"), context)


def _ended(user: User, now: datetime) -> Example:
    context = _certificate(
        common_name=_COMMON_NAME,
        serial=_SERIAL,
        fingerprint=_FINGERPRINT,
        cause="its private key was reported as compromised, and no certificate with that key is accepted any more",
        new_key=True,
        now=now,
    )
    return Example(reverse("portal:projects"), context)


def _production(user: User, now: datetime) -> Example:
    context = {
        "project": _PROJECT,
        "company_name": "Harbour & Vale Bank",
        "cid": "245901",
        "person": "Alice Marlow",
        "email": "alice.marlow@harbourvale.example",
        "note": "Tested in Sandbox for half a year.",
        "reason": "Everything on the list is done.",
    }
    return Example(reverse("portal:projects"), context)


def register_all() -> None:
    """Every kind that the portal tells of."""
    register("portal.credential-added", "A certificate was added", _added)
    register("portal.credential-revoked", "A certificate was revoked by an admin", _revoked)
    register("portal.credential-ended", "A certificate ended for another cause", _ended)
    register("portal.production-access-requested", "Production access is requested", _production)
    register("portal.production-access-granted", "Production access was granted", _production)
    register("portal.production-access-refused", "Production access was refused", _production)
