from __future__ import annotations

from pathlib import Path

from tests import corpus
from tests.softhsm import hierarchy, soft_token  # noqa: F401  fixtures

collect_ignore = corpus.ignored(Path(__file__).parent)


def pytest_report_header() -> list[str]:
    return corpus.report_header()
