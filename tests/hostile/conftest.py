"""The whole site, and its forms as they stand on the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from certauthority.models import Authority
from tests import corpus
from tests.hostile.forms_found import FoundForm, forms_of
from tests.softhsm import soft_token  # noqa: F401  a fixture
from tests.whole_site import WholeSite, make_whole_site

collect_ignore = corpus.ignored(Path(__file__).parent)


def pytest_report_header() -> list[str]:
    return corpus.report_header()


@pytest.fixture
def site(authorities: dict[str, Authority]) -> WholeSite:
    return make_whole_site()


@pytest.fixture
def forms(site: WholeSite) -> list[FoundForm]:
    return forms_of(site)
