"""The table of what was found: printed at the end of a run, and kept in docs/reliability.md where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
HEADINGS = ("Fault", "What was sent", "What was found", "Repeats")


@dataclass(frozen=True)
class Row:
    """One fault."""

    fault: str
    sent: str
    found: str
    repeats: str = "none"


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *((r.fault, r.sent, r.found, r.repeats) for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(rows: list[Row], document: Path = DOCUMENT) -> None:
    """Put the table between the document's marks. Raises ValueError where it has none."""
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{document} has no place for the table: the lines {BEGIN} and {END} are missing.")
    document.write_text(f"{before}{BEGIN}\n\n{table(rows)}\n\n{END}{after}", encoding="utf-8")
