"""What real processes write when secrets are typed in and things fail: every line JSON, no secret in any (P18)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from certauthority.tasks import publish_revocation_lists
from connect import request_ids
from tests.hostile.secrets_made import KEYSTORES, SECRETS
from tests.processes import celery_worker
from tests.softhsm import SoftToken, make_hierarchy
from tests.web_server import Server, web_server

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATIENCE_SECONDS = 60


def lines_of(log: Path) -> list[dict[str, Any]]:
    """The lines of a log, each of which must be JSON, but what Celery prints when it is told to end."""
    lines = [line for line in log.read_text().splitlines() if line and not line.startswith("worker: ")]
    return [json.loads(line) for line in lines]


def wait_for(log: Path, text: str) -> None:
    last_moment = time.monotonic() + PATIENCE_SECONDS
    while text not in log.read_text():
        assert time.monotonic() < last_moment, log.read_text()
        time.sleep(0.1)


def type_in(server: Server, password: str) -> Iterable[int]:
    """The statuses that answer passwords and private keys at addresses of every kind."""
    for address in ("/accounts/login/", "/admin/login/", "/clinic/", "/nowhere/", "/ocsp/x"):
        body = urlencode({"login": "alice@acme.example", "password": password, "username": "alice"}).encode()
        yield server.ask("POST", address, body, FORM)[0].status
        for secret in [*SECRETS, *KEYSTORES]:
            yield server.ask("POST", address, urlencode({"csr": secret.content}).encode(), FORM)[0].status


@pytest.fixture
def canaries() -> dict[str, str]:
    """Secrets of the environment: none of them is right, so that everything that needs them fails."""
    return {name: f"canary-{secrets.token_hex(12)}" for name in ("CA_KEY_PASSPHRASE", "METRICS_TOKEN")}


@pytest.mark.usefixtures("transactional_db", "authorities")
def test_web_servers_and_workers_write_no_secret(tmp_path: Path, canaries: dict[str, str]) -> None:
    password = f"canary-{secrets.token_hex(12)}"
    environment = {
        **canaries,
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        "PYTHONWARNINGS": "ignore:::celery.platforms",
    }
    web, worker = tmp_path / "web.log", tmp_path / "worker.log"
    options = ("--workers", "2", "--log-config", "config/granian_logging.json")
    quiet = ("celery", "--quiet", "--app", "config")
    with web_server(web, *options, **environment) as server, celery_worker(worker, module=quiet, **environment):
        statuses = list(type_in(server, password))
        with request_ids.working_on("request-of-the-test"):
            publish_revocation_lists.delay()
        wait_for(worker, "raised unexpected: SigningUnavailable")
    assert set(statuses) <= {400, 403, 404}
    logged = web.read_bytes() + worker.read_bytes()
    for canary in [password, *canaries.values()]:
        assert canary.encode() not in logged
    assert [trace for secret in [*SECRETS, *KEYSTORES] for trace in secret.traces if trace in logged] == []
    assert any("A private key was sent and refused" in line["message"] for line in lines_of(web))
    failed = [line for line in lines_of(worker) if "raised unexpected" in line["message"]]
    assert failed[0]["request_id"] == "request-of-the-test"
    assert "does not open with CA_KEY_PASSPHRASE" in failed[0]["message"]


@pytest.mark.postgresql
@pytest.mark.usefixtures("transactional_db")
def test_a_pin_that_opens_nothing_is_written_nowhere(tmp_path: Path, soft_token: SoftToken) -> None:
    make_hierarchy(timezone.now())
    pin, log = f"canary-{secrets.token_hex(6)}", tmp_path / "worker.log"
    environment = {**soft_token.environment, "PKCS11_PIN": pin, "STATE_DIR": str(tmp_path), "LOG_LEVEL": "DEBUG"}
    with celery_worker(log, **environment):
        publish_revocation_lists.delay()
        wait_for(log, "raised unexpected: SigningUnavailable")
    assert "PKCS11_PIN" in log.read_text()
    assert pin not in log.read_text()
    assert soft_token.pin not in log.read_text()
