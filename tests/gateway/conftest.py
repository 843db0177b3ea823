"""Acme Payments Ltd and its project, and the CAs; corpus tests only where the corpus is."""

from __future__ import annotations

from pathlib import Path

import pytest

from certauthority.models import Authority
from portal.models import Project
from tests import corpus
from tests.factories import make_company, make_project, make_user
from tests.gateway.nginx_fixtures import client_file, front, nginx_and_granians  # noqa: F401  fixtures
from tests.gateway.tiny_server import hasty_server, tiny_server  # noqa: F401  fixtures

collect_ignore = corpus.ignored(Path(__file__).parent)


@pytest.fixture
def project(authorities: dict[str, Authority]) -> Project:
    """The project “Checkout API”, whose certificates are really signed."""
    company = make_company(name="Acme Payments Ltd", cid="123456", group_email="certificates@acme.example")
    return make_project(admin=make_user(email="alice@acme.example", company=company), name="Checkout API")
