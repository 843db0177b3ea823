"""Calls per hour as a chart: where each bar and label stands. Plain geometry; all times are real time, in UTC.

Places along the time axis are percentages of the width, places down the page are pixels, as in the look's charts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from certauthority.use import HourOfUse

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

HEIGHT: Final = 272
_BASE: Final = 248.0
_TOP: Final = 24.0
# Right of the bars stand the numbers of the grid.
_WIDTH: Final = 94.0
_FILLED: Final = 0.75
_LEAST: Final = 2.0
# Up to a week each hour is a bar that says its number; above, it is a step of one line around all of them.
_MOST_BARS: Final = 7 * 24
_MOST_HOURLY_ROWS: Final = 48
_NO_LABEL_AFTER: Final = 84.0


@dataclass(frozen=True, slots=True)
class Series:
    """The calls with one certificate. ``css`` is the class of the look that colours those accepted."""

    label: str
    css: str
    hours: Sequence[HourOfUse]


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour's calls of one kind."""

    css: str
    x: str
    y: str
    width: str
    height: str
    title: str


@dataclass(frozen=True, slots=True)
class Shape:
    """All hours' calls of one kind, as one path in a box of ``Chart.hours`` by ``HEIGHT``."""

    css: str
    path: str


@dataclass(frozen=True, slots=True)
class GridLine:
    """A number of calls."""

    y: str
    text_y: str
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment; a minor one is left out where there is little room."""

    x: str
    label: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Total:
    """The calls of one series in one row of the table. ``series`` is its label."""

    series: str
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class Row:
    """An hour or a day with calls, with a total for each series."""

    begins_at: datetime
    totals: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What ``_use_chart.html`` draws. ``rows`` say the same in numbers; ``busiest`` is the hour with most calls."""

    begins_at: datetime
    ends_at: datetime
    hours: int
    series: tuple[Series, ...]
    grid: tuple[GridLine, ...]
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    shapes: tuple[Shape, ...]
    rows: tuple[Row, ...]
    rows_are_hours: bool
    accepted: int
    refused: int
    busiest: int
    is_past: bool = False

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def is_empty(self) -> bool:
        """Whether there was no call at all."""
        return not self.rows

    @property
    def is_pair(self) -> bool:
        """Whether more than one certificate is shown, so that each number must say whose it is."""
        return len(self.series) > 1

    @property
    def period(self) -> str:
        """How much is shown: ``48 hours`` or ``90 days``."""
        return f"{self.hours} hours" if self.hours <= _MOST_HOURLY_ROWS else f"{self.hours // 24} days"

    @property
    def when(self) -> str:
        """Which time is shown: ``the last 48 hours``, or ``the 7 days until 18 September 2026``."""
        last = self.ends_at - HOUR
        return f"the {self.period} until {last.day} {last:%B %Y}" if self.is_past else f"the last {self.period}"

    @property
    def title(self) -> str:
        """The chart in one sentence."""
        said = f"Calls per hour in {self.when}: {self.accepted:,} accepted, {self.refused:,} refused"
        return f"{said}, busiest hour {self.busiest:,}" if self.busiest else said


def draw(series: Sequence[Series], *, until: datetime, hours: int, is_past: bool = False) -> Chart:
    """The last ``hours`` hours, of which the one that ``until`` falls into is the last. Other hours are left out.

    Accepted calls of one series stand on those of the one before it, and refused ones on top. ``is_past`` says that
    these are not the newest hours there are.
    """
    ends_at = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    begins_at = ends_at - hours * HOUR
    shown = tuple(
        Series(one.label, one.css, [hour for hour in one.hours if begins_at <= hour.hour < ends_at]) for one in series
    )
    stacks = _stacks(shown, begins_at=begins_at)
    busiest = max((sum(piece.count for piece in stack) for stack in stacks.values()), default=0)
    scale = _Scale(top=_round_top(busiest), hours=hours)
    rows_are_hours = hours <= _MOST_HOURLY_ROWS
    return Chart(
        begins_at=begins_at,
        ends_at=ends_at,
        hours=hours,
        series=shown,
        grid=tuple(scale.grid_line(count) for count in (0, scale.top // 2, scale.top)),
        ticks=tuple(_ticks(begins_at, hours=hours)),
        bars=tuple(_bars(stacks, scale, begins_at, is_pair=len(shown) > 1)) if hours <= _MOST_BARS else (),
        shapes=tuple(_shapes(stacks, scale, shown)) if hours > _MOST_BARS else (),
        rows=tuple(_rows(shown, length=HOUR if rows_are_hours else DAY)),
        rows_are_hours=rows_are_hours,
        accepted=sum(hour.accepted for one in shown for hour in one.hours),
        refused=sum(hour.refused for one in shown for hour in one.hours),
        busiest=busiest,
        is_past=is_past,
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Calls of one kind in one hour, and how many are stacked below them."""

    css: str
    label: str
    verdict: str
    count: int
    below: int


@dataclass(frozen=True, slots=True)
class _Scale:
    top: int
    hours: int

    def y(self, count: int) -> float:
        return _BASE - (_BASE - _TOP) * count / self.top

    def x(self, place: float) -> float:
        return _WIDTH * place / self.hours

    def grid_line(self, count: int) -> GridLine:
        y = self.y(count)
        return GridLine(y=f"{y:.1f}", text_y=f"{y + 4:.1f}", label=f"{count:,}")


def _stacks(series: Sequence[Series], *, begins_at: datetime) -> dict[int, list[_Piece]]:
    """The pieces of each hour that has calls, the lowest first; hours are numbered from the left."""
    stacks: dict[int, list[_Piece]] = {}
    for verdict in ("accepted", "refused"):
        for one in series:
            for hour in one.hours:
                count = getattr(hour, verdict)
                if not count:
                    continue
                stack = stacks.setdefault((hour.hour - begins_at) // HOUR, [])
                css = one.css if verdict == "accepted" else "refused"
                stack.append(_Piece(css, one.label, verdict, count, below=sum(piece.count for piece in stack)))
    return dict(sorted(stacks.items()))


def _round_top(busiest: int) -> int:
    """The number at the top of the grid: even, round, and no smaller than the busiest hour."""
    power = 1
    while True:
        for digit in (1, 2, 3, 4, 5, 6, 8):
            top = digit * power
            if top >= busiest and top % 2 == 0:
                return top
        power *= 10


def _bars(stacks: dict[int, list[_Piece]], scale: _Scale, begins_at: datetime, *, is_pair: bool) -> Iterator[Bar]:
    for place, stack in stacks.items():
        moment = begins_at + place * HOUR
        for piece in stack:
            whose = f"{piece.label}: " if is_pair else ""
            height = max(scale.y(0) - scale.y(piece.count), _LEAST)
            yield Bar(
                css=piece.css,
                x=f"{scale.x(place + (1 - _FILLED) / 2):.2f}%",
                y=f"{scale.y(piece.below) - height:.1f}",
                width=f"{scale.x(_FILLED):.2f}%",
                height=f"{height:.1f}",
                title=f"{moment:%a %H:%M}, {whose}{piece.count:,} {piece.verdict}",
            )


def _shapes(stacks: dict[int, list[_Piece]], scale: _Scale, series: Sequence[Series]) -> Iterator[Shape]:
    """One path for each kind: a box for each hour that has calls of it."""
    for css in dict.fromkeys([*(one.css for one in series), "refused"]):
        steps = []
        for place, stack in stacks.items():
            for piece in stack:
                if piece.css == css:
                    height = max(scale.y(0) - scale.y(piece.count), _LEAST)
                    steps.append(f"M{place} {scale.y(piece.below):.0f}v-{height:.0f}h1v{height:.0f}z")
        if steps:
            yield Shape(css, "".join(steps))


def _ticks(begins_at: datetime, *, hours: int) -> Iterator[Tick]:
    """Midnights, and noons where a label has room; of 90 days the Mondays."""
    for place in range(hours):
        moment = begins_at + place * HOUR
        x = _WIDTH * place / hours
        if x > _NO_LABEL_AFTER or moment.hour % 12:
            continue
        if moment.hour == 12:
            if hours <= _MOST_HOURLY_ROWS:
                yield Tick(f"{x:.2f}%", "12:00", is_minor=True)
        elif hours <= _MOST_BARS:
            yield Tick(f"{x:.2f}%", f"{moment:%a} {moment.day} {moment:%b}", is_minor=_is_odd(moment, 1, hours))
        elif moment.weekday() == 0 and not _is_odd(moment, 7, hours):
            yield Tick(f"{x:.2f}%", f"{moment.day} {moment:%b}", is_minor=_is_odd(moment, 14, hours))


def _is_odd(moment: datetime, days: int, hours: int) -> bool:
    """Every second of the periods of so many days, where there are too many for all."""
    return hours > _MOST_HOURLY_ROWS and moment.toordinal() // days % 2 == 1


def _rows(series: Sequence[Series], *, length: timedelta) -> Iterator[Row]:
    """The newest first; hours or days without any call are left out."""
    counts: dict[datetime, list[list[int]]] = {}
    for at, one in enumerate(series):
        for hour in one.hours:
            begin = hour.hour.astimezone(UTC)
            if length == DAY:
                begin = begin.replace(hour=0)
            total = counts.setdefault(begin, [[0, 0] for _ in series])[at]
            total[0] += hour.accepted
            total[1] += hour.refused
    for begin in sorted(counts, reverse=True):
        totals = zip(series, counts[begin], strict=True)
        yield Row(begin, tuple(Total(one.label, accepted, refused) for one, (accepted, refused) in totals))
