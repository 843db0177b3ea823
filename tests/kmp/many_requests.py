"""Requests by the thousand, without keys or signatures, of every kind, application and state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count as counter
from uuid import uuid4

from django.utils import timezone

from connect.models import Company, User
from kmp.applications import create_applications
from kmp.models import Application, CertificateRequest, InventoryEntry, RequestKind, RequestState

_numbers = counter(1)
# As long as those for keys of EC and RSA are.
_CSR_LENGTHS = (500, 1_050)
STATES = (
    RequestState.SUBMITTED,
    RequestState.IN_REVIEW,
    RequestState.REJECTED,
    RequestState.CANCELLED,
    RequestState.DRAFT,
)


def make_many_requests(
    company: Company, officers: list[User], count: int, *, signed: list[InventoryEntry] | None = None
) -> list[CertificateRequest]:
    """Requests that were not signed, each state as often as the others, and one for each of the entries in ``signed``.

    The entries must be no versions of one another, and get the ids of their requests.
    """
    create_applications()
    now, applications = timezone.now(), list(Application.objects.order_by("name"))
    rows = [_signed(entry, officers) for entry in signed or []]
    rows += _unsigned(company, officers, applications, count, now=now)
    return CertificateRequest.objects.bulk_create(rows, batch_size=2_000)


def _signed(entry: InventoryEntry, officers: list[User]) -> CertificateRequest:
    number = next(_numbers)
    return CertificateRequest(
        id=entry.pk,
        number=f"REQ-{50_000_000 + number}",
        kind=RequestKind.NEW,
        state=RequestState.SIGNED,
        company_id=entry.company_id,
        officer=officers[number % len(officers)],
        application_id=entry.application_id,
        environment=entry.environment,
        contact=officers[0].email,
        csr=os.urandom(_CSR_LENGTHS[number % 2]),
        common_name=entry.common_name,
        certificate_words=f"{entry.reference} {entry.common_name} {entry.serial}",
        created_at=entry.issued_at,
        changed_at=entry.issued_at,
        submitted_at=entry.issued_at,
        ended_at=entry.issued_at,
        decided_by="automatic review",
        entry=entry,
    )


def _unsigned(
    company: Company, officers: list[User], applications: list[Application], count: int, *, now: datetime
) -> Iterator[CertificateRequest]:
    for _ in range(count):
        number = next(_numbers)
        state = STATES[number % len(STATES)]
        at = now - timedelta(minutes=number)
        is_ended = state in (RequestState.REJECTED, RequestState.CANCELLED)
        yield CertificateRequest(
            id=uuid4(),
            number=f"REQ-{50_000_000 + number}",
            kind=RequestKind.NEW,
            state=state,
            company=company,
            officer=officers[number % len(officers)],
            application=applications[number % len(applications)],
            environment="mtf" if number % 3 else "production",
            contact=officers[number % len(officers)].email,
            csr=os.urandom(_CSR_LENGTHS[number % 2]),
            common_name=f"{1_600_000_000 + number}-Client-MTF-{company.certificate_cid}",
            created_at=at,
            changed_at=at,
            submitted_at=None if state == RequestState.DRAFT else at,
            decide_at=at if state == RequestState.SUBMITTED and number % 2 else None,
            ended_at=at + timedelta(hours=1) if is_ended else None,
            decided_by="Kay, Key Management" if is_ended else "",
        )
