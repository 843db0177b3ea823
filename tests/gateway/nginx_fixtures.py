"""Fixtures: nginx in front of the endpoint and of the portal, with a server certificate of this test's own CA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from certauthority import server_certificates
from certauthority.authorities import chain_of
from certauthority.models import Authority
from certauthority.x509.export import pem_bundle
from tests.gateway import nginx_front
from tests.gateway.nginx_front import PORTAL, PRODUCTION, SANDBOX, Front


@pytest.fixture(scope="module")
def nginx_and_granians(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Three servers, for all tests of a module."""
    with nginx_front.running(tmp_path_factory.mktemp("front")) as front:
        yield front


@pytest.fixture
def front(
    nginx_and_granians: Front, transactional_db: None, authorities: dict[str, Authority], settings: Settings
) -> Front:
    """The servers with this test's authorities. One certificate is for all hosts.

    nginx was started before the certificate was there: it reads the files for each handshake.
    """
    front = nginx_and_granians
    settings.GATEWAY_DIRECTORY = front.endpoint_directory
    settings.GATEWAY_URLS = {"sandbox": front.url(SANDBOX), "production": front.url(PRODUCTION)}
    settings.CERTIFIED_HOSTS = [PORTAL]
    server_certificates.certify_if_due(now=timezone.now())
    front.ca_file.write_text(pem_bundle(chain_of(authorities["services"])))
    return front


@pytest.fixture
def client_file(tmp_path: Path) -> Path:
    """Where a test may put a certificate and its key for curl."""
    return tmp_path / "client.pem"
