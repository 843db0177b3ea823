"""The rotation report: what the endpoint has seen of an old certificate and of the one that replaces it.

Times of calls are real time; what has expired and the days left go by the company's clock. Use is an accepted call.

- **Overlap**: from the first accepted call with the new one to the last accepted call with the old one, where the
  second is not before the first. In that time both were in use.
- **Gap**: from the last accepted call with the old one to the first accepted call with the new one, where it is the
  other way round. Refused calls in it are those of both in the hours that the gap touches, since calls are counted by
  the hour; they are told beside it, because silence alone may only mean that nothing was to be done.
- **Totals** are of the last 90 days, for that long hours are kept.
- **Refused since the new one was added**: of both, from the hour on in which the new one was added to its project.
- **Last 24 hours**: the current hour and the 23 before it.
- **Sources**: addresses whose last accepted call with the old one is not before the first accepted call with the new
  one; while that is unused, every address that was accepted with the old one in the last 90 days. One has moved whose
  last accepted call came with the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from certauthority import use
from certauthority.use import HourOfUse, SourceOfUse
from connect.recent_use import HOUR, in_short, lasting
from portal.rotation import Pair, Rotation, rotations_of
from portal.rotation_verdict import Side, Verdict, moment

KEPT: Final = timedelta(days=90)
DAY: Final = timedelta(days=1)
# The chart shows two days, or a week where the new one has been in use for longer than a day.
CHART_HOURS, LONG_CHART_HOURS = 48, 7 * 24
# How much of the time after a change that is long over stands on the chart.
AFTER_THE_CHANGE: Final = timedelta(days=2)


class ChangeKind(StrEnum):
    OVERLAP = "overlap"
    GAP = "gap"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """The overlap or the gap, as the module's docstring defines them. None of either until both have been used."""

    kind: ChangeKind
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    refused: int = 0

    @property
    def duration(self) -> timedelta:
        return self.ends_at - self.begins_at if self.begins_at and self.ends_at else timedelta()

    @property
    def figure(self) -> str:
        return "None yet" if self.kind == ChangeKind.NONE else lasting(self.duration)

    @property
    def text(self) -> str:
        """The whole of it in words."""
        if self.begins_at is None or self.ends_at is None:
            return "There is neither an overlap nor a gap until both have been used."
        span = f"from {moment(self.begins_at)} to {moment(self.ends_at)}"
        if self.kind == ChangeKind.OVERLAP:
            return f"No gap: both were in use for {self.figure}, {span}."
        refused = (
            "no call was" if not self.refused else "1 call was" if self.refused == 1 else f"{self.refused:,} calls were"
        )
        return f"A gap of {self.figure} without an accepted call, {span}; {refused} refused meanwhile."


@dataclass(frozen=True, slots=True)
class Total:
    """Calls in a span of time."""

    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class Source:
    """An address that was accepted with the old one, and when it was last accepted with the new one."""

    address: str
    last_at: datetime
    accepted: int
    refused: int
    with_new_at: datetime | None

    @property
    def has_moved(self) -> bool:
        """Whether its last accepted call came with the new one."""
        return self.with_new_at is not None and self.with_new_at > self.last_at


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the page and in the JSON. ``now`` is real time, ``company_now`` its company's."""

    rotation: Rotation
    now: datetime
    company_now: datetime
    change: Change
    old_total: Total
    new_total: Total
    old_since: Total
    new_since: Total
    old_day: Total
    new_day: Total
    sources: tuple[Source, ...]
    unseen: tuple[str, ...]
    old_hours: tuple[HourOfUse, ...]
    new_hours: tuple[HourOfUse, ...]

    @property
    def pair(self) -> Pair:
        return self.rotation.pair

    @property
    def old(self) -> Side:
        return self.rotation.old

    @property
    def new(self) -> Side:
        return self.rotation.new

    @property
    def verdict(self) -> Verdict:
        return self.rotation.verdict

    @property
    def is_ahead(self) -> bool:
        return self.company_now != self.now

    @property
    def refused_since(self) -> int:
        """Refused calls of both since the new one was added."""
        return self.old_since.refused + self.new_since.refused

    @property
    def day_calls(self) -> int:
        """Accepted calls of both in the last 24 hours."""
        return self.old_day.accepted + self.new_day.accepted

    @property
    def day_share(self) -> int:
        """The new one's share of them in per cent, rounded down, so that 100 means all."""
        return 100 * self.new_day.accepted // self.day_calls if self.day_calls else 0

    @property
    def not_moved(self) -> int:
        """How many of ``sources`` came with the old one last."""
        return sum(not source.has_moved for source in self.sources)

    @property
    def unseen_in_short(self) -> str:
        """Addresses that used the old one before the change and have never been accepted with the new one."""
        return in_short(self.unseen, most=5)

    @property
    def chart_hours(self) -> int:
        first = self.new.seen.first_at
        return LONG_CHART_HOURS if first is not None and self.now - first > DAY else CHART_HOURS

    @property
    def chart_until(self) -> datetime:
        """The chart’s last moment: now, unless the change would not be on it; then two days after the change."""
        if self.change.ends_at is None or self.now - self.change.ends_at < self.chart_hours * HOUR:
            return self.now
        return self.change.ends_at + AFTER_THE_CHANGE


def report_of(pair: Pair, *, now: datetime, company_now: datetime) -> Report:
    """The report at this moment, in five queries. ``now`` is real time."""
    (rotation,) = rotations_of([pair], now=now, company_now=company_now)
    old_id, new_id = pair.old.certificate.pk, pair.new.certificate.pk
    hours = use.hours([old_id, new_id], since=now - KEPT, until=now + HOUR)
    sources = use.sources([old_id, new_id])
    old_hours, new_hours = hours[old_id], hours[new_id]
    added = _hour_of(pair.new.credential.created_at)
    day = _hour_of(now) - 23 * HOUR
    still, unseen = _sources(sources[old_id], sources[new_id], new_first_at=rotation.new.seen.first_at)
    return Report(
        rotation=rotation,
        now=now,
        company_now=company_now,
        change=change_of(rotation.old, rotation.new, hours=[*old_hours, *new_hours]),
        old_total=total(old_hours),
        new_total=total(new_hours),
        old_since=total(old_hours, since=added),
        new_since=total(new_hours, since=added),
        old_day=total(old_hours, since=day),
        new_day=total(new_hours, since=day),
        sources=still,
        unseen=unseen,
        old_hours=tuple(old_hours),
        new_hours=tuple(new_hours),
    )


def change_of(old: Side, new: Side, *, hours: Iterable[HourOfUse]) -> Change:
    """The overlap or the gap. ``hours`` are those of both."""
    last, first = old.seen.last_at, new.seen.first_at
    if last is None or first is None:
        return Change(ChangeKind.NONE)
    if first <= last:
        return Change(ChangeKind.OVERLAP, first, last)
    return Change(ChangeKind.GAP, last, first, refused=total(hours, since=_hour_of(last), until=first).refused)


def total(hours: Iterable[HourOfUse], *, since: datetime | None = None, until: datetime | None = None) -> Total:
    """The calls of those hours that begin at ``since`` or later and not after ``until``."""
    counted = [
        hour for hour in hours if (since is None or hour.hour >= since) and (until is None or hour.hour <= until)
    ]
    return Total(sum(hour.accepted for hour in counted), sum(hour.refused for hour in counted))


def _sources(
    old: Sequence[SourceOfUse], new: Sequence[SourceOfUse], *, new_first_at: datetime | None
) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """The sources that still use the old one, the latest first; and those of before that are not seen any more."""
    with_new = {source.address: source.last_accepted_at for source in new if source.last_accepted_at is not None}
    still, unseen = [], []
    for source in old:
        last_at = source.last_accepted_at
        if last_at is None:
            continue
        if new_first_at is None or last_at >= new_first_at:
            moved_at = with_new.get(source.address)
            still.append(Source(source.address, last_at, source.accepted, source.refused, moved_at))
        elif source.address not in with_new:
            unseen.append(source.address)
    return tuple(sorted(still, key=lambda one: one.last_at, reverse=True)), tuple(unseen)


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
