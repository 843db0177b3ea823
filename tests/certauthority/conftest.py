from __future__ import annotations

from pathlib import Path

from tests import corpus

collect_ignore = corpus.ignored(Path(__file__).parent)


def pytest_report_header() -> list[str]:
    return corpus.report_header()
