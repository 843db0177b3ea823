"""What will happen next to a company's certificates: thresholds of notices, ends, and deadlines of requests.

However many certificates there are, the same number of queries is asked, each for no more rows than are shown.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import models

from connect.clock import company_time
from connect.expiry.sources import Deadline, Lifetime, Source, sources
from connect.expiry.thresholds import thresholds_of
from connect.models import Company

# A certificate is valid through the last second that it names (RFC 5280, 4.1.2.5), and has expired in the next.
_UNTIL_OVER = timedelta(seconds=1)


class Happening(models.TextChoices):
    """What happens."""

    NOTICE = "notice", "Notice"
    EXPIRY = "expiry", "Expiry"
    DEADLINE = "deadline", "Deadline"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that will happen, at a moment of the company's time.

    ``days`` before the end, below zero after it, is for notices. What it is about is either ``lifetime`` or
    ``deadline``.
    """

    what: Happening
    at: datetime
    days: int = 0
    lifetime: Lifetime | None = None
    deadline: Deadline | None = None

    @property
    def moment(self) -> datetime:
        """When it is over and can be seen: a notice when it is due, an end or a deadline one second after it."""
        return self.at if self.what is Happening.NOTICE else self.at + _UNTIL_OVER

    @property
    def scope(self) -> str:
        """Whose it is: the public id of a project, or of the company for KMP."""
        about = self.lifetime or self.deadline
        return about.scope if about is not None else ""


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    """An event of a certificate that has not been read yet."""

    moment: datetime
    key: UUID
    what: Happening
    days: int
    at: datetime


def next_events(company: Company, *, now: datetime, limit: int = 10) -> list[Event]:
    """What happens next by the company's own clock, the soonest first. ``now`` is real time.

    Thresholds at which nobody is told, because somebody asked for silence or a successor has taken over, are among
    them: each can be unsnoozed or come into use until then.
    """
    moment = company_time(company, now)
    found = [event for source in sources() for event in _of(source, company, after=moment, limit=limit)]
    return sorted(found, key=lambda event: (event.moment, event.what))[:limit]


def _of(source: Source, company: Company, *, after: datetime, limit: int) -> list[Event]:
    candidates = {*_thresholds(source, company, after=after, limit=limit), *_ends(source, company, after, limit)}
    due = heapq.nsmallest(limit, candidates)
    lifetimes = {lifetime.key: lifetime for lifetime in source.find({event.key for event in due})}
    events = [Event(event.what, event.at, event.days, lifetimes[event.key]) for event in due if event.key in lifetimes]
    waiting = source.deadlines(company, after=after - _UNTIL_OVER)
    return [*events, *(Event(Happening.DEADLINE, deadline.at, deadline=deadline) for deadline in waiting)]


def _thresholds(source: Source, company: Company, *, after: datetime, limit: int) -> Iterator[_Due]:
    """For each number of days the certificates that reach it next: a threshold is a date, and so is its distance."""
    today = after.astimezone(UTC).date()
    for days in settings.NOTICE_THRESHOLD_DAYS:
        first_end = datetime.combine(today + timedelta(days=days + 1), time(0), UTC)
        for key, end in _first(source, company, ends_from=first_end, limit=limit):
            at = next(threshold.at for threshold in thresholds_of(end) if threshold.days == days)
            yield _Due(at, key, Happening.NOTICE, days, at)


def _ends(source: Source, company: Company, after: datetime, limit: int) -> Iterator[_Due]:
    for key, end in _first(source, company, ends_from=after - _UNTIL_OVER, limit=limit):
        if end + _UNTIL_OVER > after:
            yield _Due(end + _UNTIL_OVER, key, Happening.EXPIRY, 0, end)


def _first(source: Source, company: Company, *, ends_from: datetime, limit: int) -> list[tuple[UUID, datetime]]:
    rows = source.of_company(company).filter(**{f"{source.expiry}__gte": ends_from})
    return list(rows.values_list("pk", source.expiry)[:limit])
