"""What people are told of a certificate's end: the subject when it is found, the mail when it is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connect.clock import company_time
from connect.expiry.letter import context_of
from connect.expiry.silence import reason_for_silence
from connect.expiry.sources import Lifetime, lifetime_of, recipients_of
from connect.lifecycle import days_left
from connect.models import Notice
from connect.notices import SUBJECT_LENGTH, Recipient, Written, write
from connect.text import one_line
from connect.writers import Silenced

EXPIRES = "connect.certificate-expires"
EXPIRED = "connect.certificate-expired"

ENDED = "It was revoked, or its project deleted, before the mail went out."
RUN_OVER = "The clock run has ended."
NOT_CONCERNED = "This address was not among those to tell any more when the mail was to go out."

_NAME_LENGTH = 64


def subject_of(lifetime: Lifetime, threshold: int, *, now: datetime) -> str:
    """Alias, environment, days left, and whether a successor is live, in at most 200 characters.

    The days are those left at ``now``, of the company's time: after an outage fewer than the ``threshold`` says.
    A notice of a threshold after the end never says that the end is still to come.
    """
    name = f"{_short(lifetime.name)} ({_short(lifetime.environment)})"
    when = _when(lifetime.expires_at, threshold, now=now)
    return one_line(f"{name} {when}{_after(lifetime, now=now)}", at_most=SUBJECT_LENGTH)


def render(notice: Notice, now: datetime) -> Written | Silenced:
    """The mail of an expiry notice as it goes out at the real moment ``now``, or why it does not any more.

    It is judged by the clock that its company had when it was stored, which has ticked on since: a company whose
    clock was moved once more meanwhile still reads of this threshold, and then of the next.
    """
    lifetime = lifetime_of(notice.watched)
    if lifetime is None:
        return Silenced(ENDED)
    if notice.clock_run is not None and notice.clock_run != lifetime.company.clock_run:
        return Silenced(RUN_OVER)
    company_now = (notice.company_at or company_time(lifetime.company, notice.created_at)) + (now - notice.created_at)
    if reason := reason_for_silence(lifetime, now=company_now):
        return Silenced(reason)
    if notice.address not in {recipient.address.lower() for recipient in recipients_of(lifetime)}:
        return Silenced(NOT_CONCERNED)
    recipient = Recipient(notice.address, notice.recipient)
    return message(lifetime, notice.threshold or 0, to=recipient, moment=Moment(now, company_now))


@dataclass(frozen=True, slots=True)
class Moment:
    """A real moment, and what the company's clock shows then."""

    real: datetime
    company: datetime


def kind_of(threshold: int) -> str:
    """The kind of the notice that tells of a threshold."""
    return EXPIRED if threshold < 0 else EXPIRES


def message(lifetime: Lifetime, threshold: int, *, to: Recipient, moment: Moment) -> Written:
    """The mail about one certificate to one recipient."""
    is_over = threshold < 0 or lifetime.expires_at < moment.company
    context = context_of(lifetime, address=to.address, is_over=is_over, real=moment.real, now=moment.company)
    subject = subject_of(lifetime, threshold, now=moment.company)
    kind = kind_of(threshold)
    return write(
        kind, recipient=to, link=lifetime.at(moment.company).act_url, context={**context, "subject_line": subject}
    )


def _when(expires_at: datetime, threshold: int, *, now: datetime) -> str:
    left = days_left(expires_at, now=now)
    if expires_at >= now and threshold >= 0:
        return "expires today" if left == 0 else f"expires in {_days(left)}"
    return "expired today" if left >= 0 else f"expired {_days(-left)} ago"


def _after(lifetime: Lifetime, *, now: datetime) -> str:
    if not lifetime.successor:
        return ", and nothing replaces it"
    ends_at = lifetime.successor_expires_at
    state = "has expired, too" if ends_at is not None and ends_at < now else "is live"
    return f"; its successor {_short(lifetime.successor)} {state}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _short(name: str) -> str:
    return one_line(name, at_most=_NAME_LENGTH)
