"""An invented example of each notice of KMP. Nothing of it is stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.urls import reverse

from certauthority.models import Certificate
from connect.certificate_facts import Fact, identity, in_words
from connect.models import Company, User
from connect.samples import Example, register
from kmp.models import Application, CertificateRequest, InventoryEntry, RequestKind
from kmp.models.applications import Environment

_COMMON_NAME = "1801526400-Client-MTF-245901"
_SERIAL = "2f91d0ac57be48e6b3046d18c97fa205"
_FINGERPRINT = "8d35e0f71c924ab6035bd84e97c1f26aa84017e3d95c60fb2248b7ed531f0c9a"


def _request(now: datetime, *, officer: User | None = None, is_signed: bool = False) -> CertificateRequest:
    """A renewal in the middle of its way, or at its end. It has no row, and neither has what it is about."""
    company = Company(name="Harbour & Vale Bank")
    application = Application(name="Cross-Border Services")
    certificate = Certificate(fingerprint=_FINGERPRINT)
    entry = InventoryEntry(
        reference="KM-204418",
        certificate=certificate,
        common_name=_COMMON_NAME,
        serial=_SERIAL,
        expires_at=now + timedelta(days=396),
    )
    return CertificateRequest(
        number="REQ-00000042",
        kind=RequestKind.RENEWAL,
        company=company,
        officer=officer or User(name="Olga Brandt", email="olga.brandt@harbourvale.example"),
        application=application,
        environment=Environment.MTF,
        expiring=InventoryEntry(reference="KM-204417"),
        common_name=_COMMON_NAME,
        decided_by="Kim Adeyemi, Key Management",
        reason="The CSR names another company: O must be “Harbour & Vale Bank”.",
        decide_at=now if not is_signed else None,
        entry=entry if is_signed else None,
        created_at=now,
        changed_at=now,
    )


def _of_request(user: User, now: datetime, *, is_signed: bool = False) -> Example:
    return Example(reverse("kmp:requests"), {"request": _request(now, is_signed=is_signed)})


def _handed_over(user: User, now: datetime) -> Example:
    former = User(name="Omar Reyes", email="omar.reyes@harbourvale.example")
    context = {"request": _request(now, officer=user), "former": former, "is_lost": False}
    return Example(reverse("kmp:requests"), context)


def _revoked(user: User, now: datetime) -> Example:
    context = {
        "reference": "KM-204417",
        "application": "Cross-Border Services",
        "environment": "MTF",
        "company_name": "Harbour & Vale Bank",
        "by": "Olga Brandt",
        "reason": "Key compromise",
        "newer": "",
        "new_key": True,
        "facts": [
            Fact("Certificate", "KM-204417"),
            Fact("Application", "Cross-Border Services"),
            Fact("Environment", "MTF"),
            *identity(common_name=_COMMON_NAME, serial=_SERIAL, fingerprint=_FINGERPRINT, issuer="KMP CA 1"),
            Fact("Revoked", in_words(now)),
        ],
    }
    return Example(reverse("kmp:inventory"), context)


def register_all() -> None:
    """Every kind that KMP tells of."""
    register("kmp.request-submitted", "A request was submitted", _of_request)
    register("kmp.request-waiting", "A request waits for Key Management", _of_request)
    register("kmp.request-signed", "A request was signed", partial(_of_request, is_signed=True))
    register("kmp.request-rejected", "A request was rejected", _of_request)
    register("kmp.request-cancelled", "A request was cancelled", _of_request)
    register("kmp.draft-handed-over", "A draft was handed over", _handed_over)
    register("kmp.certificate-revoked", "A certificate was revoked", _revoked)
