"""What the page ``Clock`` shows of one company to one person.

Certificates of projects that this person is not on, and of KMP for who is no security officer, are told without names.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings

from connect.clock import company_time, is_ahead
from connect.clock_moves import clock_state
from connect.expiry.events import Event, Happening, next_events
from connect.expiry.jumping import Caused, CausedNotice, caused, visible_scopes
from connect.expiry.mail import ENDED, NOT_CONCERNED, RUN_OVER
from connect.expiry.silence import NOBODY, PASSED_OVER, reason_for_silence
from connect.expiry.sources import Lifetime
from connect.lifecycle import days_left
from connect.models import ClockJump, Company, User

# After that long a mail that is not out waits for its next attempt, and the page stops asking.
_SETTLES_WITHIN = timedelta(minutes=2)
# Other reasons name a successor, or who asked for silence.
_NAMELESS_REASONS = ("", PASSED_OVER, NOBODY, ENDED, RUN_OVER, NOT_CONCERNED)
_SILENT = "It is snoozed, or another one has replaced it."


@dataclass(frozen=True, slots=True)
class EventRow:
    """One of the next events. ``silent`` says why nobody will be told; ``url`` is empty where there is no page."""

    what: Happening
    at: datetime
    days_until: int
    name: str
    common_name: str
    place: str
    url: str
    words: str
    silent: str = ""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One threshold of one certificate that the last jump met."""

    name: str
    words: str
    notice: CausedNotice


@dataclass(frozen=True, slots=True)
class ExpiredRow:
    """A certificate that has ended since the last jump began."""

    name: str
    common_name: str
    place: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CausedRows:
    """What the last jump caused, as far as this person may read it."""

    since: Caused
    notices: list[NoticeRow]
    expired: list[ExpiredRow]

    @property
    def more_notices(self) -> int:
        return self.since.notice_count - len(self.notices)

    @property
    def more_expired(self) -> int:
        return self.since.expired_count - len(self.expired)


@dataclass(frozen=True, slots=True)
class ClockPage:
    """A company's clock. ``now`` is real time, ``company_now`` its own; ``state`` is for the forms."""

    company: Company
    now: datetime
    company_now: datetime
    is_ahead: bool
    state: str
    events: list[EventRow]
    caused: CausedRows | None

    @property
    def most_years(self) -> int:
        """How many years ahead of real time it can be."""
        return int(settings.CLOCK_MOST_YEARS_AHEAD)

    @property
    def is_settling(self) -> bool:
        """Whether mails of the last jump are still to go out, so that the page is worth another look."""
        if self.caused is None or not self.caused.since.on_their_way:
            return False
        return self.now - self.caused.since.jump.moved_at < _SETTLES_WITHIN


@dataclass(frozen=True, slots=True)
class Run:
    """The clock run that is on: who began it, when by real time, and how often the clock was moved."""

    began_at: datetime
    began_by: str
    jumps: int


def clock_page(company: Company, viewer: User, *, now: datetime) -> ClockPage:
    """Everything on the page, in the same number of queries however many certificates there are. ``now`` is real."""
    company_now, scopes = company_time(company, now), visible_scopes(viewer)
    since = caused(company, now=now)
    return ClockPage(
        company=company,
        now=now,
        company_now=company_now,
        is_ahead=is_ahead(company),
        state=clock_state(company),
        events=[_event_row(event, scopes, company, now=company_now) for event in next_events(company, now=now)],
        caused=_caused_rows(since, scopes) if since is not None else None,
    )


def current_run(company: Company) -> Run | None:
    """The clock run that is on; none in real time."""
    if company.clock_run is None:
        return None
    jumps = ClockJump.objects.filter(company=company, run=company.clock_run).order_by("moved_at", "to_at")
    first = jumps.first()
    return Run(first.moved_at, first.moved_by, jumps.count()) if first is not None else None


def _event_row(event: Event, scopes: Collection[str], company: Company, *, now: datetime) -> EventRow:
    days_until = days_left(event.at, now=now)
    about, deadline = event.lifetime, event.deadline
    if about is not None and about.scope in scopes:
        return EventRow(
            what=event.what,
            at=event.at,
            days_until=days_until,
            name=about.name,
            common_name=about.common_name,
            place=_place(about),
            url=about.url,
            words=_words(event),
            silent=reason_for_silence(about, now=event.at) if event.what is Happening.NOTICE else "",
        )
    if deadline is not None and deadline.scope in scopes:
        return EventRow(event.what, event.at, days_until, deadline.title, "", "", deadline.url, "Last moment")
    name = _unnamed(event.scope, company, what="request" if deadline is not None else "certificate")
    return EventRow(event.what, event.at, days_until, name, "", "", "", _words(event))


def _caused_rows(since: Caused, scopes: Collection[str]) -> CausedRows:
    return CausedRows(
        since=since,
        notices=[_notice_row(notice, scopes, since.jump.company) for notice in since.notices],
        expired=[_expired_row(lifetime, scopes) for lifetime in since.expired],
    )


def _notice_row(notice: CausedNotice, scopes: Collection[str], company: Company) -> NoticeRow:
    words = threshold_words(notice.threshold)
    if notice.scope in scopes:
        return NoticeRow(notice.subject, words, notice)
    reason = notice.reason if notice.reason in _NAMELESS_REASONS else _SILENT
    return NoticeRow(_unnamed(notice.scope, company), words, replace(notice, subject="", link="", reason=reason))


def _expired_row(lifetime: Lifetime, scopes: Collection[str]) -> ExpiredRow:
    if lifetime.scope not in scopes:
        return ExpiredRow(_unnamed(lifetime.scope, lifetime.company), "", "", "", lifetime.expires_at)
    return ExpiredRow(lifetime.name, lifetime.common_name, _place(lifetime), lifetime.url, lifetime.expires_at)


def _unnamed(scope: str, company: Company, *, what: str = "certificate") -> str:
    """What stands instead of a name that this person may not read. KMP's scope is the company itself."""
    return f"A {what} that only security officers see" if scope == str(company.pk) else f"A {what} of another project"


def _place(lifetime: Lifetime) -> str:
    return f"{lifetime.place}, {lifetime.environment}"


def _words(event: Event) -> str:
    if event.what is Happening.EXPIRY:
        return "Expires"
    return "Last moment" if event.what is Happening.DEADLINE else threshold_words(event.days)


def threshold_words(days: int) -> str:
    """A threshold in words: ``30 days before its end``, ``on its last day``, ``7 days after its end``."""
    if days == 0:
        return "On its last day"
    unit = "day" if abs(days) == 1 else "days"
    return f"{abs(days)} {unit} {'before' if days > 0 else 'after'} its end"
