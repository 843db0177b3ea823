"""Certificates without keys, and calls at the endpoint, for tests that count them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Final

from certauthority.models import Certificate, ReasonCode
from certauthority.use_records import SeenCall

NOON: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def make_certificate() -> Certificate:
    """A certificate's row, without a certificate."""
    number = next(_numbers)
    return Certificate.objects.create(
        issuer_digest="e" * 64,
        issuer="CN=Counted",
        serial=f"{number:x}",
        subject=f"CN={number}",
        subject_digest=f"{number:064x}",
        common_name=str(number),
        fingerprint=f"{number:064x}",
        public_key_fingerprint=f"{number:064x}",
        key_description="EC P-256",
        not_before=NOON - timedelta(days=30),
        not_after=NOON + timedelta(days=300),
        der=b"",
        recorded_at=NOON,
    )


def seen(
    certificate: Certificate,
    at: datetime,
    *,
    refused: bool = False,
    reason: ReasonCode | None = None,
    environment: str = "sandbox",
    address: str = "127.0.0.1",
) -> SeenCall:
    """A call with this certificate: accepted, unless told otherwise."""
    if reason is None:
        reason = ReasonCode.WRONG_ENVIRONMENT if refused else ReasonCode.ACCEPTED
    return SeenCall(
        certificate_id=certificate.pk,
        at=at,
        accepted=reason in {ReasonCode.ACCEPTED, ReasonCode.SUPERSEDED, ReasonCode.CHAIN_INCOMPLETE},
        reason=reason,
        environment=environment,
        client_address=address,
        tls_version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
    )
