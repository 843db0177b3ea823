"""Write what was measured into docs/performance.md, with a picture of each plot: `python -m bench.write_up`.

It stands between two marks of the document; the text around them is written by hand and stays.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import kept, plots
from bench.kept import Measurement
from bench.report import Plot, Result

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
# The measurements by name as the document has them; those of one group stand under its heading.
GROUPS = {
    "Under load": ("load.issuing", "load.edge", "load.lists", "load.sizes"),
    "Part by part": (
        "issuance",
        "ocsp",
        "handshakes",
        "pages",
        "inventory",
        "requests",
        "revocation_lists",
        "expiry",
    ),
}
ORDER = tuple(name for names in GROUPS.values() for name in names)
TITLES = {
    "load.issuing": "Certificates issued by many people at once",
    "load.edge": "At the edge: OCSP and the endpoint behind nginx",
    "load.lists": "CRLs of up to a million entries",
    "load.sizes": "From 10,000 to 1,000,000 certificates",
    "issuance": "Issuing against the same work by hand",
    "ocsp": "OCSP against one stored response",
    "handshakes": "The endpoint against nginx",
    "pages": "Credentials of a project",
    "inventory": "Certificates Inventory",
    "requests": "Requests and the review queue",
    "revocation_lists": "A CRL of 100,000 entries",
    "expiry": "The scan for certificates that expire",
}
_WORDS = {True: "ok", False: "**missed**", None: ""}


def main() -> int:
    """Write up what is kept; 1 where a limit was missed, 2 where there is nothing to write."""
    measurements = kept.read_all()
    if not measurements:
        print("Nothing is kept. Run make bench first.", file=sys.stderr)
        return 2
    write(measurements)
    print(_summary(measurements))
    return 1 if any(one.missed for one in measurements) else 0


def absent(measurements: Sequence[Measurement]) -> list[str]:
    """The measurements of a whole run that these are without."""
    return [name for name in ORDER if name not in {one.name for one in measurements}]


def write(measurements: Sequence[Measurement], document: Path = DOCUMENT) -> None:
    """Put the measurements between the document's marks, and their plots beside it; pictures of old plots go.

    Raises ValueError where the document has no marks, or two plots have one name.
    """
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{document} has no place for the measurements: the lines {BEGIN} and {END} are missing.")
    pictures = _pictures(measurements)
    folder = document.parent / "images"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("performance-*.svg"):
        if old.name not in pictures:
            old.unlink()
    for name, svg in pictures.items():
        (folder / name).write_text(svg, encoding="utf-8")
    document.write_text(f"{before}{BEGIN}\n\n{render(measurements)}\n{END}{after}", encoding="utf-8")


def render(measurements: Sequence[Measurement]) -> str:
    """What stands between the marks, in Markdown."""
    by_name = {one.name: one for one in measurements}
    parts = [f"{_summary(measurements)}\n", "## Measured on\n", _machine(measurements)]
    others = tuple(sorted(set(by_name) - set(ORDER)))
    for heading, names in (*GROUPS.items(), ("More", others)):
        found = [by_name[name] for name in names if name in by_name]
        if found:
            parts += [f"## {heading}\n", *(_section(one) for one in found)]
    return "\n".join(parts)


def _pictures(measurements: Sequence[Measurement]) -> dict[str, str]:
    drawn = [plot for one in measurements for plot in one.plots]
    names = [_file_of(plot) for plot in drawn]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Two plots would be {name}. Give one of them another name.")
    return dict(zip(names, map(plots.draw, drawn), strict=True))


def _file_of(plot: Plot) -> str:
    return f"performance-{plot.name}.svg"


def _summary(measurements: Sequence[Measurement]) -> str:
    judged = [result for one in measurements for result in one.results if result.good is not None]
    missed = [result for one in measurements for result in one.missed]
    sentences = [f"{len(judged) - len(missed)} of {len(judged)} limits are kept."]
    if missed:
        sentences.append(f"Missed: {'; '.join(f'{_plain(one.name)} ({_plain(one.figure)})' for one in missed)}.")
    if absent(measurements):
        sentences.append(f"Not measured: {', '.join(absent(measurements))}.")
    return " ".join(sentences)


def _machine(measurements: Sequence[Measurement]) -> str:
    """One table of facts; where measurements differ in one, it says which is whose."""
    rows = []
    for fact in dict.fromkeys(fact for one in measurements for fact in one.facts):
        values: dict[str, list[str]] = {}
        for one in measurements:
            values.setdefault(one.facts.get(fact, "not known"), []).append(one.name)
        shown = [value if len(values) == 1 else f"{value} ({', '.join(names)})" for value, names in values.items()]
        rows.append((fact, "; ".join(shown)))
    return _table(("", ""), rows)


def _section(measurement: Measurement) -> str:
    title = TITLES.get(measurement.name, measurement.name.replace("_", " ").capitalize())
    rows = [_row(result) for result in measurement.results]
    parts = [f"### {title}\n", f"`{measurement.name}`. {_plain(measurement.about)}\n"]
    if rows:
        parts.append(_table(("Figure", "Measured", "Limit", ""), rows))
    parts += [f"![{_alternative(plot)}](images/{_file_of(plot)})\n" for plot in measurement.plots]
    return "\n".join(parts)


def _row(result: Result) -> tuple[str, ...]:
    return result.name, result.figure, result.limit, _WORDS[result.good]


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in line)} |" for line in lines) + "\n"


def _plain(text: str) -> str:
    """Text that ends neither a cell nor a line."""
    return " ".join(text.split()).replace("|", "\\|")


def _alternative(plot: Plot) -> str:
    return _plain(plots.in_words(plot)).replace("[", "(").replace("]", ")")


if __name__ == "__main__":
    sys.exit(main())
