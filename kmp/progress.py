"""How far a request is: its states drawn as steps, what it waits for, and what happened to it so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from audit.models import AuditEvent
from connect.activity import Entry, Wording
from kmp.models import CertificateRequest, Environment, RequestState, Review
from kmp.moves import UNDECIDED
from kmp.records import audited

# An automatic decision that is later than this is told to be late.
_LATE = timedelta(seconds=30)
_WAY = (RequestState.DRAFT, RequestState.SUBMITTED, RequestState.IN_REVIEW, RequestState.SIGNED)
_WORDING = Wording(
    sentences={
        "kmp.request-started": "Started the request",
        "kmp.request-changed": "Changed the draft",
        "kmp.request-handed-over": "Handed over to {officer}",
        "kmp.request-submitted": "Submitted the request",
        "kmp.request-in-review": "Began the review",
        "kmp.request-signed": "Signed the certificate {reference}",
        "kmp.request-rejected": "Rejected the request",
        "kmp.request-cancelled": "Cancelled the request",
    },
    names={"csr_name": "CSR", "alternative_names": "Subject Alternate Names (SAN)", "serial": "Serial number"},
    said={
        "kmp.request-handed-over": {"officer"},
        "kmp.request-signed": {"reference", "common_name", "fingerprint", "not_after", "decided_by"},
        "kmp.request-cancelled": {"state"},
    },
    choices={"environment": Environment, "review": Review},
)


@dataclass(frozen=True, slots=True)
class Step:
    """One state on the way of a request."""

    state: RequestState
    is_done: bool = False
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a request waits for, in one bold sentence, and what to know meanwhile."""

    title: str
    text: str
    is_late: bool = False
    is_ca_away: bool = False


def steps_of(request: CertificateRequest) -> tuple[Step, ...]:
    """The way of a request: behind it, where it stands, and before it unless it has ended otherwise."""
    state = RequestState(request.state)
    if state in _WAY:
        place = _WAY.index(state)
        return tuple(
            Step(step, is_done=number < place or step == state == RequestState.SIGNED, is_current=number == place)
            for number, step in enumerate(_WAY)
        )
    passed = [RequestState.DRAFT] if request.submitted_at is None else [RequestState.DRAFT, RequestState.SUBMITTED]
    return (*(Step(step, is_done=True) for step in passed), Step(state, is_current=True))


def waiting_of(request: CertificateRequest, *, now: datetime) -> Waiting | None:
    """What a submitted request waits for; None for drafts and decided ones."""
    if request.state not in UNDECIDED:
        return None
    if request.decide_at is None:
        return Waiting("It waits for Key Management", "Usually within a working day. You are told by e-mail.")
    if _is_ca_away(request, now=now):
        return Waiting(
            "The CA cannot sign at the moment",
            "Nothing is lost: it is tried each minute.",
            is_late=True,
            is_ca_away=True,
        )
    if _is_late(request, now=now):
        return Waiting(
            "It still waits for the background work",
            "That is late or away at the moment. Nothing is lost: the request is stored, and it is taken up as soon as "
            "the background work runs again.",
            is_late=True,
        )
    return Waiting("It waits for the background work", "The automatic review looks at it, usually within seconds.")


def token_of(request: CertificateRequest, *, now: datetime) -> str:
    """Another one whenever the page of an undecided request would show something else."""
    waiting = waiting_of(request, now=now)
    if waiting is None or not waiting.is_late:
        return request.state
    return f"{request.state}-{'unsigned' if waiting.is_ca_away else 'late'}"


def _is_ca_away(request: CertificateRequest, *, now: datetime) -> bool:
    """Whether a worker took it up and put its decision off. Only a CA that cannot sign makes it do so.

    Once that later moment is over, too, nobody has tried again: then the background work is away.
    """
    due, claimed = request.decide_at, request.claimed_at
    return due is not None and claimed is not None and claimed < due and now <= due + _LATE


def _is_late(request: CertificateRequest, *, now: datetime) -> bool:
    """Whether the decision should have been there by now. ``decide_at`` moves on while the CA cannot sign.

    One that no worker has taken up yet may have come to the automatic review long after it was submitted.
    """
    due = request.decide_at
    if request.claimed_at is not None and request.submitted_at is not None:
        due = request.submitted_at + timedelta(seconds=settings.KMP_AUTOMATIC_REVIEW_SECONDS)
    return due is not None and now > due + _LATE


def history_of(request: CertificateRequest) -> list[Entry]:
    """Everything that happened to a request, newest first."""
    on = audited(request)
    events = AuditEvent.objects.filter(company=on.company, object_type=on.type, object_id=on.id)
    return [_WORDING.entry(event) for event in events.order_by("-id")]
