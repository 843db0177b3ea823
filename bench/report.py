"""What a measurement says: figure, baseline, ratio, limit; and what it draws: one figure against another."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report. ``good`` is None where there is no limit, only a figure to look at."""

    name: str
    figure: str
    limit: str = ""
    good: bool | None = None

    def line(self) -> str:
        mark = {True: "ok", False: "MISSED", None: ""}[self.good]
        return f"{self.name:58}{self.figure:>34}  {self.limit:22}{mark}"


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot of docs/performance.md, drawn in docs/images/performance-<name>.svg.

    ``series`` gives for each label its points (x, y) in order of x; ``limit`` is a horizontal line.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    limit: float | None = None
    log_x: bool = False
    log_y: bool = False


def at_most(name: str, value: float, limit: float, unit: str, note: str = "") -> Result:
    """A figure that must not exceed its limit."""
    return Result(name, f"{value:.4g} {unit}{note}", f"at most {limit:g} {unit}", value <= limit)


def at_least(name: str, value: float, limit: float, note: str = "") -> Result:
    """A ratio that must reach its limit."""
    return Result(name, f"{value:.2f}{note}", f"at least {limit:g}", value >= limit)


def seconds(work: Callable[[], object], *, times: int = 5) -> float:
    """The median time that the work takes, in seconds."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that is not less than ``percent`` per cent of the values (the nearest rank).

    Raises ValueError where there are no values, or ``percent`` is not above 0 and at most 100.
    """
    if not values:
        raise ValueError("There is no percentile of no values.")
    if not 0 < percent <= 100:
        raise ValueError(f"A percentile is above 0 and at most 100, not {percent:g}.")
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]
