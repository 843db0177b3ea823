"""What Key Management, the site's staff, does with submitted requests.

Whoever of the staff comes first decides: each of these holds the row, looks at its state again, and tells the second
one who was faster.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit.events import Actor
from connect.models import User
from kmp import requests, signing
from kmp.errors import OwnRequest, WrongState
from kmp.models import CertificateRequest, InventoryEntry, RequestState
from kmp.moves import locked, record_of


def refuse_own(request: CertificateRequest, by: User) -> None:
    """Raises OwnRequest: nobody decides for a company that they work for, or on a request of their own."""
    if by.pk == request.officer_id:
        raise OwnRequest("This is your own request, and nobody decides on their own. Another member of staff must.")
    if by.company_id is not None and by.company_id == request.company_id:
        raise OwnRequest(
            f"You belong to {request.company.name}, and nobody decides on a request of their own company. Another "
            "member of staff must."
        )


@transaction.atomic
def begin_review(request: CertificateRequest, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """`Begin review`. Whoever comes second finds it begun, and may go on with it, too.

    The automatic review leaves it to the staff from then on, and decides nothing while somebody reads.

    Raises:
        OwnRequest: it is of the person's own company.
        WrongState: it was decided or cancelled meanwhile.
    """
    refuse_own(request, by)
    row = locked(request)
    _refuse_decided(row)
    if row.decide_at is not None:
        row.decide_at = None
        row.save(update_fields=["decide_at"])
        if row.state == RequestState.IN_REVIEW:
            record_of("kmp.request-in-review", row, actor=actor, now=now)
    return requests.begin_review(row, actor=actor, now=now)


@transaction.atomic
def sign(request: CertificateRequest, *, by: User, actor: Actor, now: datetime) -> InventoryEntry:
    """`Sign` a request that is in review.

    Raises:
        OwnRequest: it is of the person's own company.
        WrongState: it was decided or cancelled meanwhile, or its review has not begun.
        NotSignable: something changed since it was submitted; the sentence is a reason to reject it with.
        CAError: the CA cannot sign now.
    """
    row = _in_review(request, by)
    return signing.sign(row, decided_by=_decider(by), actor=actor, now=now)


@transaction.atomic
def reject(request: CertificateRequest, *, reason: str, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """`Reject` a request that is in review, with the reason that its officers read.

    Raises:
        OwnRequest, WrongState: as for ``sign``.
        RequestIncomplete: no reason is given.
    """
    row = _in_review(request, by)
    return requests.reject(row, reason=reason, decided_by=_decider(by), actor=actor, now=now)


def _in_review(request: CertificateRequest, by: User) -> CertificateRequest:
    refuse_own(request, by)
    row = locked(request)
    _refuse_decided(row)
    if row.state != RequestState.IN_REVIEW or row.decide_at is not None:
        raise WrongState(f"The review of {row.number} has not begun. Begin it first.")
    return row


def _refuse_decided(row: CertificateRequest) -> None:
    if row.state in (RequestState.SIGNED, RequestState.REJECTED, RequestState.CANCELLED):
        done = row.get_state_display().lower()
        raise WrongState(f"{row.number} was {done} by {row.decided_by} meanwhile. Nothing was changed.")


def _decider(by: User) -> str:
    return f"{by.name}, Key Management"[:254]
