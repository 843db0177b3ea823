"""The rows that tell people of a certificate's end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from connect.expiry.judgement import Judgement
from connect.expiry.mail import subject_of
from connect.expiry.silence import NOBODY, PASSED_OVER
from connect.models import Channel, Notice, NoticeState
from connect.notices import Recipient, each_once
from connect.webhooks import WebhookEvent, certificate_facts

# The database asks for an address. Where nobody is told, the row that says so has none.
_NO_ADDRESS = Recipient("")


def going_out(judgement: Judgement, to: Sequence[Recipient], *, now: datetime) -> Iterator[Notice]:
    """A mail for each recipient, and one for the bell of each who can sign in. Mails are written when they leave."""
    if judgement.nearest is None or not judgement.goes_out:
        return
    subject = subject_of(judgement.lifetime, judgement.nearest, now=judgement.at)
    for recipient in each_once(to):
        row = _row(judgement, judgement.nearest, recipient, subject, now=now)
        row.state = NoticeState.DUE
        yield row
        if recipient.user is not None:
            bell = _row(judgement, judgement.nearest, recipient, subject, now=now)
            bell.channel, bell.recipient, bell.state, bell.sent_at = Channel.BELL, recipient.user, NoticeState.SENT, now
            yield bell


def skipped(judgement: Judgement, to: Sequence[Recipient], *, now: datetime) -> Iterator[Notice]:
    """What does not go out, and why: a row for each mail that there would have been, or one where nobody is there."""
    reasons = dict.fromkeys(judgement.passed_over, PASSED_OVER)
    if judgement.nearest is not None and not to:
        reasons[judgement.nearest] = judgement.silence or NOBODY
    elif judgement.nearest is not None and judgement.silence:
        reasons[judgement.nearest] = judgement.silence
    for days, reason in reasons.items():
        subject = subject_of(judgement.lifetime, days, now=judgement.at)
        for recipient in each_once(to or [_NO_ADDRESS]):
            row = _row(judgement, days, recipient, subject, now=now)
            row.state, row.reason = NoticeState.SKIPPED, reason
            yield row


def webhook_event(judgement: Judgement, *, now: datetime) -> WebhookEvent | None:
    """What other systems are told, if anybody is to be told."""
    if judgement.nearest is None or not judgement.goes_out:
        return None
    lifetime = judgement.lifetime
    return WebhookEvent(
        scope=lifetime.scope,
        company=lifetime.company,
        event=event_of(judgement, judgement.nearest),
        kind=_kind(judgement.nearest),
        subject=subject_of(lifetime, judgement.nearest, now=judgement.at),
        text="",
        link=lifetime.act_url,
        data={"certificate": certificate_facts(lifetime, now=judgement.at), "threshold": judgement.nearest},
        now=now,
    )


def event_of(judgement: Judgement, days: int) -> str:
    """Names one threshold of one certificate in one clock run: with address and channel it is unique."""
    run = judgement.lifetime.company.clock_run
    return f"certificate-expires:{judgement.lifetime.watched}:{days}:{run or 'real'}"


def _kind(days: int) -> str:
    return "connect.certificate-expires" if days >= 0 else "connect.certificate-expired"


def _row(judgement: Judgement, days: int, recipient: Recipient, subject: str, *, now: datetime) -> Notice:
    lifetime = judgement.lifetime
    return Notice(
        id=uuid.uuid4(),
        event=event_of(judgement, days),
        kind=_kind(days),
        channel=Channel.MAIL,
        address=recipient.address.lower(),
        recipient=recipient.user,
        company=lifetime.company,
        subject=subject,
        link=lifetime.act_url,
        created_at=now,
        due_at=now,
        scope=lifetime.scope,
        watched=lifetime.watched,
        threshold=days,
        clock_run=lifetime.company.clock_run,
        company_at=judgement.at,
    )
