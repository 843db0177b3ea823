"""The table of `make faults` in docs/reliability.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import results
from faults.results import Row

ROWS = [Row("Redis killed", "3 forms", "3 certificates"), Row("Worker killed", "1 renewal", "1 signed", "1 mail")]


def test_the_table_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    document = tmp_path / "reliability.md"
    document.write_text(f"Before\n\n{results.BEGIN}\n\n| old |\n\n{results.END}\n\nAfter\n", encoding="utf-8")
    results.write(ROWS, document)
    text = document.read_text(encoding="utf-8")
    assert text.startswith("Before\n")
    assert text.endswith("\nAfter\n")
    assert "| old |" not in text
    assert (
        "| Redis killed | 3 forms | 3 certificates | none |\n| Worker killed | 1 renewal | 1 signed | 1 mail |" in text
    )
    results.write(ROWS, document)
    assert document.read_text(encoding="utf-8") == text, "written again it is the same"


def test_a_document_without_a_place_for_it_stays_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "reliability.md"
    document.write_text("No place\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no place for the table"):
        results.write(ROWS, document)
    assert document.read_text(encoding="utf-8") == "No place\n"


def test_the_site_s_own_document_has_a_place_for_it() -> None:
    text = results.DOCUMENT.read_text(encoding="utf-8")
    assert text.index(results.BEGIN) < text.index(results.END)
    assert "FAULTS_WRITE=1 make faults" in text
