"""Fixtures: nginx in front of the endpoint and of the portal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from certauthority.models import Authority
from tests.gateway import nginx_front
from tests.gateway.nginx_front import Front


@pytest.fixture(scope="module")
def nginx_and_granians(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Three servers, for all tests of a module."""
    with nginx_front.running(tmp_path_factory.mktemp("front")) as front:
        yield front


@pytest.fixture
def front(nginx_and_granians: Front, transactional_db: None, authorities: dict[str, Authority]) -> Front:
    """The servers, on a database with authorities and nothing else."""
    return nginx_and_granians


@pytest.fixture
def client_file(tmp_path: Path) -> Path:
    """Where a test may put a certificate and its key for curl."""
    return tmp_path / "client.pem"
