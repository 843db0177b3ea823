"""A CRL of 100,000 entries: from rows to signed DER, and whether the cost is linear."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from bench.report import Result, at_most, seconds
from certauthority import revocation_lists
from certauthority.authorities import newest_authority
from certauthority.models import Authority, Certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.x509.revocation_list import crl_entry

HALF, WHOLE = 50_000, 100_000
SECONDS = 1.0
# Twice the entries may cost a little more than twice the time: fixed costs and noise.
LINEAR = 2.6


def measure() -> Iterator[Result]:
    """Seconds for the whole list, the first time and later, and the ratio to half of it."""
    authority = newest_authority(AuthorityPurpose.SERVICES)
    fill(authority, HALF)
    publish(authority)
    half = seconds(lambda: publish(authority))
    fill(authority, WHOLE - HALF)
    first = seconds(lambda: publish(authority), times=1)
    whole = seconds(lambda: publish(authority))
    yield at_most(f"CRL of {WHOLE:,} entries, from rows to signed DER", whole, SECONDS, "s")
    yield at_most(f"CRL of {WHOLE:,} entries against {HALF:,}", whole / half, LINEAR, "times")
    yield Result(f"CRL of {WHOLE:,} entries of which {WHOLE - HALF:,} are new", f"{first:.2f} s")


def publish(authority: Authority) -> None:
    """What the task does, by the use-case."""
    revocation_lists.publish(authority, now=timezone.now())


def fill(authority: Authority, count: int) -> None:
    """Revoked certificates as the use-cases write them."""
    now, reasons = timezone.now(), ("superseded", "keyCompromise", "affiliationChanged")
    certificates = []
    for number in range(count):
        digest = hashlib.sha256(uuid4().bytes).hexdigest()
        serial, reason = digest[:39], reasons[number % len(reasons)]
        certificates.append(
            Certificate(
                authority=authority,
                issuer_digest=digest,
                issuer="CN=Rehearsal Services CA",
                serial=f"1{serial}",
                subject=f"CN={number}",
                subject_digest=digest,
                common_name=str(number),
                fingerprint=digest,
                public_key_fingerprint=digest,
                key_description="EC P-256",
                not_before=now,
                not_after=now + timedelta(days=300),
                der=b"",
                recorded_at=now,
                linted_at=now,
                revoked_at=now,
                revocation_reason=reason,
                crl_entry=crl_entry(serial=int(f"1{serial}", 16), revoked_at=now, reason=reason),
            )
        )
    Certificate.objects.bulk_create(certificates, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
