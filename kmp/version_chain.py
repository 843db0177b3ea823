"""The versions of one certificate as a line of bars on one axis of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kmp.inventory import Status, status_of
from kmp.models import InventoryEntry

LANE = 44
_LANES_BEGIN = 8
_AXIS = 28
_LEAST_PERCENT = 1.0


@dataclass(frozen=True, slots=True)
class Version:
    """One bar. ``begin`` and ``width`` are percent of the drawing's width, ``y`` pixels from its top."""

    entry: InventoryEntry
    status: Status
    is_shown: bool
    begin: float
    width: float
    y: int

    @property
    def is_late(self) -> bool:
        """Whether it ends so far to the right that its name is written from its end."""
        return self.begin + self.width > 60

    @property
    def name_x(self) -> float:
        """Where the name is written, in percent of the width."""
        return round(self.begin + self.width, 2) if self.is_late else self.begin

    @property
    def name_y(self) -> int:
        """The line on which the name stands."""
        return self.y + 19


@dataclass(frozen=True, slots=True)
class Tick:
    """A first of January, in percent of the width."""

    year: int
    x: float


@dataclass(frozen=True, slots=True)
class VersionChain:
    """Every version, the oldest first. ``today`` is percent of the width, or None where now lies outside."""

    versions: tuple[Version, ...]
    ticks: tuple[Tick, ...]
    today: float | None
    height: int

    @property
    def axis_y(self) -> int:
        """Where the years are written."""
        return self.height - 8

    @property
    def lanes_end(self) -> int:
        """Where the lines of the years end."""
        return self.height - _AXIS + 4


def chain_of(shown: InventoryEntry, *, now: datetime) -> VersionChain:
    """The line of certificates that the shown one belongs to."""
    entries = list(InventoryEntry.objects.filter(line=shown.line).order_by("version"))
    return draw(entries, shown=shown, now=now)


def draw(entries: Sequence[InventoryEntry], *, shown: InventoryEntry, now: datetime) -> VersionChain:
    """Place the bars: the axis begins with the first version and ends with the last that expires."""
    begin = min(entry.issued_at for entry in entries)
    end = max(*(entry.expires_at for entry in entries), begin + timedelta(days=1))

    def percent(moment: datetime) -> float:
        return round(100 * ((moment - begin) / (end - begin)), 2)

    versions = tuple(
        Version(
            entry=entry,
            status=status_of(entry, now=now),
            is_shown=entry.pk == shown.pk,
            begin=min(percent(entry.issued_at), 100 - _LEAST_PERCENT),
            width=max(round(percent(entry.expires_at) - percent(entry.issued_at), 2), _LEAST_PERCENT),
            y=_LANES_BEGIN + LANE * number,
        )
        for number, entry in enumerate(entries)
    )
    return VersionChain(
        versions=versions,
        ticks=tuple(Tick(year, percent(first)) for year, first in _years(begin, end)),
        today=percent(now) if begin <= now <= end else None,
        height=_LANES_BEGIN + LANE * len(entries) + _AXIS,
    )


def _years(begin: datetime, end: datetime) -> Iterator[tuple[int, datetime]]:
    for year in range(begin.year + 1, end.year + 1):
        first = datetime(year, 1, 1, tzinfo=UTC)
        if begin < first < end:
            yield year, first
