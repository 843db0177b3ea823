"""The shared corpus of material that nobody in the project wrote: where it is, and what happens without it.

It lies beside the project, not in it. Tests that read it are named ``test_*_corpus.py``. Where it is absent they are
not collected, and one line says so; in CI that is an error.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1].parent / "shared" / "corpus"
ABSENT = "The corpus beside the project (../shared/corpus) is absent: the tests that read it are not collected."


def available() -> bool:
    """Whether the corpus is here. Raises RuntimeError in CI (``CI=true``) when it is not."""
    if (ROOT / "csr_cases.json").is_file():
        return True
    if os.environ.get("CI") == "true":
        raise RuntimeError(ABSENT)
    return False


def report_header() -> list[str]:
    """For ``pytest_report_header``: one line when the corpus is absent, else nothing."""
    return [] if available() else [ABSENT]


def ignored(folder: Path) -> list[str]:
    """For ``collect_ignore`` in the ``conftest.py`` of a folder: its corpus tests, when the corpus is absent."""
    return [] if available() else sorted(path.name for path in folder.glob("test_*_corpus.py"))


def read(path: str) -> bytes:
    """One file of the corpus."""
    return (ROOT / path).read_bytes()


def csr_cases() -> list[dict[str, Any]]:
    """The classified CSRs, as MANIFEST.md describes them."""
    cases: list[dict[str, Any]] = json.loads(read("csr_cases.json"))
    return cases
