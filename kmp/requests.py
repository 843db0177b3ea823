"""Requests from submission to decision. These functions, and ``kmp.drafts``, are the only moves from state to state.

    Draft → Submitted → In review → Signed (kmp.signing), or Rejected, or Cancelled before signing

Each takes the row as it was seen, locks it, looks at its state again, and records who did what.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.events import Actor
from certauthority.background import enqueue
from connect.models import User
from connect.officers import has_enough_officers, officers_of
from kmp import messages
from kmp.drafts import own_draft, refuse_renewal_of
from kmp.errors import RequestIncomplete, WrongState
from kmp.judgement import judge
from kmp.models import CertificateRequest, RequestState, Review
from kmp.moves import OPEN, UNDECIDED, end, is_left_behind, locked, record_of


@transaction.atomic
def submit(request: CertificateRequest, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """Hand a draft to Key Management. A repeat finds it submitted, or decided already, and changes nothing.

    Raises:
        RequestIncomplete: the company or the request lacks something, in one sentence.
        WrongState: it was cancelled, or is another officer's, meanwhile.
    """
    row = locked(request)
    if was_submitted(row, by=by):
        return row
    row = own_draft(request, by)
    _refuse_incomplete(row, now=now)
    application = row.application
    if application is None:
        raise RequestIncomplete("Choose the application first.")
    is_automatic = application.review == Review.AUTOMATIC
    delay = timedelta(seconds=settings.KMP_AUTOMATIC_REVIEW_SECONDS)
    row.state, row.submitted_at, row.changed_at = RequestState.SUBMITTED, now, now
    row.decide_at = now + delay if is_automatic else None
    row.save(update_fields=["state", "submitted_at", "changed_at", "decide_at"])
    record_of("kmp.request-submitted", row, actor=actor, now=now, after={"review": application.review})
    messages.submitted(row, now=now)
    transaction.on_commit(lambda: bring_forward(row.pk))
    return row


def was_submitted(request: CertificateRequest, *, by: User) -> bool:
    """Whether this person has submitted it before, so that another Submit is a repeat of that one."""
    is_on_its_way = request.submitted_at is not None and request.state != RequestState.CANCELLED
    return is_on_its_way and request.officer_id == by.pk


def bring_forward(request_id: UUID) -> None:
    """Tell a worker of a submitted request. Without a broker the sweep finds it."""
    from kmp.tasks import process_request  # noqa: PLC0415  tasks call what this module holds

    enqueue(process_request, str(request_id))


@transaction.atomic
def cancel(request: CertificateRequest, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """Its officer takes a request back before it is decided; any officer of its company, if that one left it behind.

    A repeat changes nothing.
    """
    row = locked(request)
    if row.state == RequestState.CANCELLED:
        return row
    if row.officer_id != by.pk and not (is_left_behind(row) and officers_of(row.company).filter(pk=by.pk).exists()):
        raise WrongState(f"{row.number} is {row.officer.name}’s request, and only its officer cancels it.")
    if row.state not in OPEN:
        raise WrongState(f"{row.number} was {row.get_state_display().lower()} meanwhile and cannot be cancelled.")
    before = row.state
    end(row, RequestState.CANCELLED, by=by.name, reason="", now=now)
    record_of("kmp.request-cancelled", row, actor=actor, now=now, before={"state": before})
    if before != RequestState.DRAFT:
        messages.cancelled(row, now=now)
    return row


@transaction.atomic
def begin_review(request: CertificateRequest, *, actor: Actor, now: datetime) -> CertificateRequest:
    """Somebody, or the automatic review, looks at a submitted request. A repeat changes nothing."""
    row = locked(request)
    if row.state == RequestState.IN_REVIEW:
        return row
    if row.state != RequestState.SUBMITTED:
        raise WrongState(f"{row.number} is {row.get_state_display().lower()} and waits for no review.")
    row.state, row.changed_at = RequestState.IN_REVIEW, now
    row.save(update_fields=["state", "changed_at"])
    record_of("kmp.request-in-review", row, actor=actor, now=now)
    return row


@transaction.atomic
def reject(
    request: CertificateRequest, *, reason: str, decided_by: str, actor: Actor, now: datetime
) -> CertificateRequest:
    """Refuse a submitted request, with the reason that its officer reads."""
    row = locked(request)
    if row.state not in UNDECIDED:
        raise WrongState(f"{row.number} was {row.get_state_display().lower()} meanwhile. Nothing was changed.")
    if not reason.strip():
        raise RequestIncomplete("Say why: the officer can correct only what you name.")
    end(row, RequestState.REJECTED, by=decided_by, reason=reason.strip(), now=now)
    record_of("kmp.request-rejected", row, actor=actor, now=now, after={"reason": row.reason})
    messages.rejected(row, now=now)
    return row


def _refuse_incomplete(row: CertificateRequest, *, now: datetime) -> None:
    if not has_enough_officers(row.company):
        raise RequestIncomplete(
            f"{row.company.name} requires an additional security officer. A request is submitted once the company "
            f"has {settings.KMP_MIN_OFFICERS}."
        )
    if not row.company.group_email:
        raise RequestIncomplete(
            f"{row.company.name} has no Certificate Management Group Email. Enter one on the page My Company first."
        )
    if row.application is not None and not row.application.is_open:
        raise RequestIncomplete(f"{row.application.name} takes no requests at the moment. See the page Support.")
    if not bytes(row.csr):
        raise RequestIncomplete("Upload a CSR first.")
    if row.expiring is not None:
        refuse_renewal_of(row.expiring)
    problems = judge(row, now=now).problems
    if len(problems) > 1:
        raise RequestIncomplete(f"{len(problems)} things must change before you can submit: the page names each.")
    if problems:
        raise RequestIncomplete(problems[0])
