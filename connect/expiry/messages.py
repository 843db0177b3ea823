"""What the scan tells of a certificate's end, before it is multiplied by recipients and channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connect.expiry.judgement import Judgement
from connect.expiry.mail import subject_of
from connect.expiry.silence import NOBODY, PASSED_OVER
from connect.notices import Recipient, each_once
from connect.webhooks import WebhookEvent, certificate_facts

# The database asks for an address. Where nobody is told, the row that says so has none.
_NO_ADDRESS = (Recipient(""),)


@dataclass(frozen=True, slots=True)
class Message:
    """One threshold of one certificate. With a ``reason`` it is told to nobody, and the reason says why."""

    event: str
    kind: str
    company_id: UUID
    scope: str
    watched: str
    threshold: int
    clock_run: UUID | None
    company_at: datetime
    subject: str
    link: str
    reason: str
    to: tuple[Recipient, ...]


def messages(judgement: Judgement, to: Sequence[Recipient]) -> Iterator[Message]:
    """What the judgement makes of each threshold that has passed; ``to`` are those who would be told."""
    if judgement.nearest is None:
        return
    told = tuple(each_once(to)) or _NO_ADDRESS
    for days in judgement.passed_over:
        yield _message(judgement, days, PASSED_OVER, told)
    yield _message(judgement, judgement.nearest, judgement.silence or ("" if to else NOBODY), told)


def webhook_event(judgement: Judgement, *, now: datetime) -> WebhookEvent | None:
    """What other systems are told, if anybody is to be told."""
    if judgement.nearest is None or judgement.silence:
        return None
    lifetime, days = judgement.lifetime, judgement.nearest
    return WebhookEvent(
        scope=lifetime.scope,
        company=lifetime.company,
        event=event_of(judgement, days),
        kind=_kind(days),
        subject=subject_of(lifetime, days, now=judgement.at),
        text="",
        link=lifetime.at(judgement.at).act_url,
        data={"certificate": certificate_facts(lifetime, now=judgement.at), "threshold": days},
        now=now,
    )


def event_of(judgement: Judgement, days: int) -> str:
    """Names one threshold of one certificate in one clock run: with address and channel it is unique."""
    return _event(judgement.lifetime.watched, days, judgement.lifetime.company.clock_run)


def _event(watched: str, days: int, run: UUID | None) -> str:
    return f"certificate-expires:{watched}:{days}:{run or 'real'}"


def _kind(days: int) -> str:
    return "connect.certificate-expires" if days >= 0 else "connect.certificate-expired"


def _message(judgement: Judgement, days: int, reason: str, to: tuple[Recipient, ...]) -> Message:
    lifetime = judgement.lifetime
    watched, run = lifetime.watched, lifetime.company.clock_run
    return Message(
        event=_event(watched, days, run),
        kind=_kind(days),
        company_id=lifetime.company.pk,
        scope=lifetime.scope,
        watched=watched,
        threshold=days,
        clock_run=run,
        company_at=judgement.at,
        subject=subject_of(lifetime, days, now=judgement.at),
        link=lifetime.at(judgement.at).act_url,
        reason=reason,
        to=to,
    )
