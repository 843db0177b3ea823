"""Which expiry notices are still to come. Moments are of the company's own time; nothing is read or written here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from connect.expiry.sources import Lifetime
from connect.expiry.thresholds import Threshold, thresholds_of


@dataclass(frozen=True, slots=True)
class Coming:
    """A notice that will go out at ``at``, as things are; ``threshold`` in days, below zero after the end.

    ``at`` lies in the past where the next scan will send it.
    """

    lifetime: Lifetime
    threshold: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Alike:
    """So many certificates that end on the same day, and whose next notice and silence are the same."""

    expires_on: date
    next_notice_at: datetime | None
    snoozed_until: date | None
    number: int


@dataclass(frozen=True, slots=True)
class Month:
    """The notices of a calendar month, in UTC. ``first`` is its first day."""

    first: date
    notices: int


@dataclass(frozen=True, slots=True)
class Outline:
    """How many notices come in each month, of how many certificates."""

    months: tuple[Month, ...]
    certificates: int

    @property
    def notices(self) -> int:
        """In all months together."""
        return sum(month.notices for month in self.months)


def forecast(lifetimes: Iterable[Lifetime], *, now: datetime, until: datetime) -> list[Coming]:
    """The notices from ``now`` until ``until``, both included, the soonest first.

    A certificate that is replaced and unused is silent, and so is one that is snoozed, until that day. Of thresholds
    that have passed and were not judged yet, only the nearest is still to come.
    """
    found = [
        Coming(lifetime, threshold.days, threshold.at)
        for lifetime in lifetimes
        if not lifetime.at(now).is_replaced_and_unused
        for threshold in _ahead(
            lifetime.expires_at, lifetime.next_notice_at, lifetime.snoozed_until, now=now, until=until
        )
    ]
    return sorted(found, key=lambda coming: (coming.at, coming.lifetime.expires_at, str(coming.lifetime.key)))


def outline(groups: Iterable[Alike], *, now: datetime, until: datetime) -> Outline:
    """The same in numbers, for as many certificates as there are. Those that are silent are left out of ``groups``."""
    counts = dict.fromkeys(_months(now, until), 0)
    certificates = 0
    for group in groups:
        end = datetime.combine(group.expires_on, time(12), UTC)
        ahead = _ahead(end, group.next_notice_at, group.snoozed_until, now=now, until=until)
        certificates += group.number if ahead else 0
        for threshold in ahead:
            counts[max(threshold.at, now).astimezone(UTC).date().replace(day=1)] += group.number
    return Outline(tuple(Month(first, number) for first, number in counts.items()), certificates)


def in_words(threshold: int) -> str:
    """A threshold as pages name it: ``7 days before expiry``, ``On the day``, ``7 days after expiry``."""
    if threshold == 0:
        return "On the day of expiry"
    days = "1 day" if abs(threshold) == 1 else f"{abs(threshold)} days"
    return f"{days} before expiry" if threshold > 0 else f"{days} after expiry"


def _ahead(
    expires_at: datetime,
    next_notice_at: datetime | None,
    snoozed_until: date | None,
    *,
    now: datetime,
    until: datetime,
) -> list[Threshold]:
    if next_notice_at is None:
        return []
    left = [threshold for threshold in thresholds_of(expires_at) if next_notice_at <= threshold.at <= until]
    passed = [threshold for threshold in left if threshold.at <= now]
    coming = [*passed[-1:], *left[len(passed) :]]
    if snoozed_until is None:
        return coming
    return [threshold for threshold in coming if max(threshold.at, now).astimezone(UTC).date() >= snoozed_until]


def _months(now: datetime, until: datetime) -> list[date]:
    """The first days of the calendar months that lie between, the first and the last of them included."""
    month, last = (moment.astimezone(UTC).date().replace(day=1) for moment in (now, until))
    found = []
    while month <= last:
        found.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return found
