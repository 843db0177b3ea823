"""What a measurement found, kept until it is written up: one file of JSON lines for each, in var/bench/.

The first line says what was measured, and where; each further line is a result or a plot. A measurement that does not
come to its end leaves the file of the last time as it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import machine
from bench.report import Plot, Result

DIRECTORY = Path(__file__).resolve().parent.parent / "var" / "bench"


@dataclass(frozen=True, slots=True)
class Measurement:
    """``about`` says in a sentence what it does; ``facts`` are those of `bench.machine`."""

    name: str
    about: str
    facts: Mapping[str, str]
    results: tuple[Result, ...]
    plots: tuple[Plot, ...]

    @property
    def missed(self) -> list[Result]:
        """The results that do not keep their limit."""
        return [result for result in self.results if result.good is False]


def carry_out(module: ModuleType, found: Iterable[Result | Plot], directory: Path | None = None) -> bool:
    """Print each result of a module's measurement as it comes, and keep all of them; whether every limit was kept.

    The measurement is named after its module below ``bench``; what it does is the beginning of the docstring there.
    """
    results, plots = [], []
    for one in found:
        if isinstance(one, Plot):
            plots.append(one)
        else:
            results.append(one)
            print(one.line(), flush=True)
    about = " ".join((module.__doc__ or "").strip().partition("\n\n")[0].split())
    name = module.__name__.removeprefix("bench.")
    keep(Measurement(name, about, machine.facts(), tuple(results), tuple(plots)), directory)
    return all(result.good is not False for result in results)


def keep(measurement: Measurement, directory: Path | None = None) -> None:
    """Put a measurement in the place of the one of its name."""
    directory = directory or DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    head = {"measurement": measurement.name, "about": measurement.about, "facts": dict(measurement.facts)}
    lines: list[dict[str, Any]] = [head]
    lines += [{"result": asdict(result)} for result in measurement.results]
    lines += [{"plot": asdict(plot)} for plot in measurement.plots]
    file = directory / f"{measurement.name}.jsonl"
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), encoding="utf-8")
    fresh.replace(file)


def read_all(directory: Path | None = None) -> list[Measurement]:
    """Every measurement that is kept, by name."""
    return [_read(file) for file in sorted((directory or DIRECTORY).glob("*.jsonl"))]


def forget_all(directory: Path | None = None) -> None:
    """Remove every measurement that is kept: a whole run begins."""
    for file in (directory or DIRECTORY).glob("*.jsonl"):
        file.unlink()


def _read(file: Path) -> Measurement:
    head, *lines = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    results = tuple(Result(**line["result"]) for line in lines if "result" in line)
    plots = tuple(_plot(line["plot"]) for line in lines if "plot" in line)
    return Measurement(head["measurement"], head["about"], head["facts"], results, plots)


def _plot(fields: dict[str, Any]) -> Plot:
    series = {label: [(float(x), float(y)) for x, y in points] for label, points in fields["series"].items()}
    return Plot(**{**fields, "series": series})
