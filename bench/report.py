"""What a measurement says: figure, baseline, ratio, limit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
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
