"""How far a request is: its states drawn as steps, what it waits for, and what happened to it so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.models import AuditEvent
from kmp.models import CertificateRequest, RequestState
from kmp.moves import UNDECIDED
from kmp.records import audited

# An automatic decision that is later than this is told to be late.
_LATE = timedelta(seconds=30)
_WAY = (RequestState.DRAFT, RequestState.SUBMITTED, RequestState.IN_REVIEW, RequestState.SIGNED)
_SENTENCES = {
    "kmp.request-started": "Started the request",
    "kmp.request-changed": "Changed {what}",
    "kmp.request-handed-over": "Handed over from {officer_before} to {officer}",
    "kmp.request-submitted": "Submitted the request",
    "kmp.request-in-review": "Began the review",
    "kmp.request-signed": "Signed the certificate {reference}",
    "kmp.request-rejected": "Rejected the request",
    "kmp.request-cancelled": "Cancelled the request",
}
_NAMES = {
    "csr_name": "the CSR",
    "common_name": "the common name",
    "alternative_names": "the alternative names",
    "contact": "the contact",
    "application": "the application",
    "environment": "the environment",
}


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


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the history, in words."""

    event: AuditEvent
    sentence: str
    reason: str = ""


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
    if now > request.decide_at + _LATE:
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
    return f"{request.state}{'-late' if waiting and waiting.is_late else ''}"


def history_of(request: CertificateRequest) -> tuple[Happening, ...]:
    """Everything that happened to a request, newest first."""
    on = audited(request)
    events = AuditEvent.objects.filter(company=on.company, object_type=on.type, object_id=on.id).order_by("-id")
    return tuple(_happening(event) for event in events)


def _happening(event: AuditEvent) -> Happening:
    values = {name: str(value) for name, value in event.after.items()}
    values |= {f"{name}_before": str(value) for name, value in event.before.items()}
    values["what"] = ", ".join(_NAMES[name] for name in event.after if name in _NAMES) or "the CSR"
    try:
        sentence = _SENTENCES.get(event.action, "").format_map(values)
    except KeyError:
        sentence = ""
    return Happening(event, sentence or event.action, str(event.after.get("reason", "")))
