"""Certificates drawn over the next 15 months: where each bar, tick, overlap and gap stands. Plain geometry.

Places along the time axis are percentages of the width, places down the page are pixels, as in the look's charts.
Moments are of the company's own time; months begin at midnight UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import models

from certauthority.x509.profile import add_months
from connect.expiry.coverage import Gap, Group, grouped
from connect.expiry.sources import Lifetime
from connect.expiry.thresholds import thresholds_of
from connect.lifecycle import Status, days_left, status

MONTHS_AHEAD = 15
# More make the picture taller than two screens, and each costs as much as a row of the table below it.
MOST_BARS = 20

_TOP = 66
_ROW = 46
_BAR_DOWN = 20
_BAR_HEIGHT = 18
_TICK_HEIGHT = 7
_BETWEEN_GROUPS = 10
_NO_LABEL_AFTER = 96.0


class Meaning(models.TextChoices):
    """What a bar's colour says; the value is a class of the look."""

    ACTIVE = "ok", "Active"
    EXPIRING_SOON = "warn", "Expiring soon"
    SUCCESSOR = "mine", "Successor"
    EXPIRED = "past", "Expired"


@dataclass(frozen=True, slots=True)
class Frame:
    """The time that is drawn, and the moment that is today."""

    begins_at: datetime
    ends_at: datetime
    now: datetime

    @classmethod
    def around(cls, now: datetime) -> Frame:
        """From the first day of the month before until 15 months ahead."""
        begins_at = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return cls(add_months(begins_at, -1), add_months(now, MONTHS_AHEAD), now)

    def at(self, moment: datetime) -> float:
        """Where a moment stands, in percent; what is outside stands on the edge."""
        share = (moment - self.begins_at) / (self.ends_at - self.begins_at)
        return 100 * min(max(share, 0.0), 1.0)

    def shows(self, moment: datetime) -> bool:
        """Whether a moment is inside."""
        return self.begins_at <= moment <= self.ends_at


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the time axis, in percent."""

    begin: float
    end: float

    @property
    def x(self) -> str:
        return percent(self.begin)

    @property
    def width(self) -> str:
        return percent(self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Box:
    """A span with its place down the page."""

    span: Span
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A threshold: on this day people are told."""

    days: int
    at: datetime
    place: float

    @property
    def x(self) -> str:
        return percent(self.place)


@dataclass(frozen=True, slots=True)
class Bar:
    """One certificate. ``gap`` is the time after it in which nothing takes over; ``gap_box`` what of it is drawn."""

    lifetime: Lifetime
    status: Status
    meaning: Meaning
    days_left: int
    box: Box
    ticks: tuple[Tick, ...]
    gap: Gap | None
    gap_box: Box | None

    @property
    def name(self) -> str:
        """The certificate's name. A picture has no mark for what cannot be seen: its code point stands there."""
        name = self.lifetime.name
        return "".join(letter if letter.isprintable() else f"U+{ord(letter):04X}" for letter in name)

    @property
    def name_y(self) -> int:
        """Where the line with its name stands."""
        return self.box.y - 7

    @property
    def tick_y(self) -> int:
        """Where its ticks begin."""
        return self.box.y + self.box.height - _TICK_HEIGHT

    @property
    def bottom(self) -> int:
        """Where its ticks and the bar itself end."""
        return self.box.y + self.box.height


@dataclass(frozen=True, slots=True)
class Month:
    """A line of the grid. ``year`` is said where one begins; a phone leaves out the labels of three in four."""

    begins_at: datetime
    place: float
    year: str
    is_minor: bool

    @property
    def x(self) -> str:
        return percent(self.place)

    @property
    def label(self) -> str:
        return f"{self.begins_at:%b}" if self.place <= _NO_LABEL_AFTER else ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that is drawn, and what a sentence says of it. ``is_cut`` when there are more certificates."""

    frame: Frame
    bars: tuple[Bar, ...]
    overlaps: tuple[Box, ...]
    months: tuple[Month, ...]
    sentences: tuple[str, ...]
    is_cut: bool
    height: int = field(default=_TOP)

    @property
    def meanings(self) -> list[Meaning]:
        """The colours that occur, for the legend."""
        found = {bar.meaning for bar in self.bars}
        return [meaning for meaning in Meaning if meaning in found]

    @property
    def has_gaps(self) -> bool:
        """Whether a gap is drawn."""
        return any(bar.gap_box is not None for bar in self.bars)

    @property
    def today_x(self) -> str:
        return percent(self.frame.at(self.frame.now))


def percent(value: float) -> str:
    """A place as SVG writes it."""
    return f"{value:.2f}%"


def timeline(lifetimes: Sequence[Lifetime], *, now: datetime, is_cut: bool = False) -> Timeline:
    """Draw these certificates: those that follow each other beside each other, the next to expire first."""
    frame = Frame.around(now)
    groups = grouped(lifetimes, until=frame.ends_at)
    bars: list[Bar] = []
    overlaps: list[Box] = []
    y = _TOP
    for group in groups:
        drawn = [
            _bar(member, group, frame, y=y + number * _ROW + _BAR_DOWN) for number, member in enumerate(group.members)
        ]
        bars += drawn
        overlaps += _overlaps(drawn, group, frame)
        y += len(drawn) * _ROW + _BETWEEN_GROUPS
    return Timeline(
        frame=frame,
        bars=tuple(bars),
        overlaps=tuple(overlaps),
        months=tuple(_months(frame)),
        sentences=tuple(sentence for group in groups for sentence in group.sentences(now=now)),
        is_cut=is_cut,
        height=y,
    )


def _bar(lifetime: Lifetime, group: Group, frame: Frame, *, y: int) -> Bar:
    state = status(lifetime.expires_at, ended=False, now=frame.now)
    gap = group.gap_after(lifetime)
    shown = gap is not None and gap.ends_at > frame.begins_at
    return Bar(
        lifetime=lifetime,
        status=state,
        meaning=_meaning(state, follows=group.follows(lifetime)),
        days_left=days_left(lifetime.expires_at, now=frame.now),
        box=Box(_span(frame, lifetime.begins_at, lifetime.expires_at), y, _BAR_HEIGHT),
        ticks=tuple(
            Tick(threshold.days, threshold.at, frame.at(threshold.at))
            for threshold in thresholds_of(lifetime.expires_at)
            if frame.shows(threshold.at)
        ),
        gap=gap,
        gap_box=Box(_span(frame, gap.begins_at, gap.ends_at), y, _BAR_HEIGHT) if gap is not None and shown else None,
    )


def _meaning(state: Status, *, follows: bool) -> Meaning:
    if state == Status.EXPIRED:
        return Meaning.EXPIRED
    if state == Status.EXPIRING_SOON:
        return Meaning.EXPIRING_SOON
    return Meaning.SUCCESSOR if follows else Meaning.ACTIVE


def _overlaps(bars: Iterable[Bar], group: Group, frame: Frame) -> Iterator[Box]:
    """The times in which a certificate and its successor are both valid, over both bars."""
    by_key = {bar.lifetime.key: bar for bar in bars}
    for older, newer in group.rotations():
        begin, end = max(older.begins_at, newer.begins_at), min(older.expires_at, newer.expires_at)
        if begin >= end or end <= frame.begins_at or begin >= frame.ends_at:
            continue
        rows = sorted((by_key[older.key], by_key[newer.key]), key=lambda bar: bar.box.y)
        top, bottom = rows[0].box.y - 2, rows[1].bottom + 2
        yield Box(_span(frame, begin, end), top, bottom - top)


def _span(frame: Frame, begin: datetime, end: datetime) -> Span:
    return Span(frame.at(begin), frame.at(end))


def _months(frame: Frame) -> Iterator[Month]:
    begins_at, number = frame.begins_at, 0
    while begins_at <= frame.ends_at:
        # The first year has no room where the next one begins a month later.
        is_said = begins_at.month == 1 or (number == 0 and begins_at.month != 12)
        yield Month(begins_at, frame.at(begins_at), str(begins_at.year) if is_said else "", begins_at.month % 3 != 1)
        begins_at, number = add_months(begins_at, 1), number + 1
