"""`/healthz` and `/readyz`: what they answer, to everybody, and what they never tell."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as site_settings
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from certauthority import server_certificates, signers
from certauthority.models import Authority, Certificate, RevocationList
from config import env, heartbeats
from tests.processes import ROOT, celery_worker, site_environment

# Beat sends its first message within a minute.
PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True)
def _endpoint(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> None:
    """Where there are authorities, the endpoint has its certificate."""
    settings.GATEWAY_DIRECTORY = tmp_path / "gateway"
    if "authorities" in request.fixturenames:
        request.getfixturevalue("authorities")
        server_certificates.certify_if_due(now=timezone.now())


def problems(client: Client) -> dict[str, str]:
    """The sentences of a `/readyz` that answers 503."""
    response = client.get("/readyz")
    assert response.status_code == 503
    answer: dict[str, Any] = response.json()
    assert answer["ready"] is False
    return {str(part): str(sentence) for part, sentence in answer["problems"].items()}


def test_alive_is_plain_text_and_needs_neither_account_nor_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"alive\n")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_it_is_ready_with_authorities_and_their_lists(client: Client, authorities: dict[str, Authority]) -> None:
    response = client.get("/readyz")
    assert response.json() == {"ready": True, "problems": {}}
    assert response.status_code == 200
    assert len(authorities) == 4


@pytest.mark.django_db
def test_it_is_not_ready_without_authorities(client: Client) -> None:
    assert "create_authorities" in problems(client)["ca_key"]


@pytest.mark.usefixtures("authorities")
def test_it_is_not_ready_without_redis(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///no/such/socket?db=0"
    assert problems(client) == {"redis": "Redis does not answer."}


def test_it_is_not_ready_without_its_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DatabaseError("password=hunter2")

    monkeypatch.setattr(connection, "cursor", fail)
    assert problems(client) == {"database": "The database does not answer."}


@pytest.mark.usefixtures("authorities")
def test_it_is_not_ready_with_a_key_that_does_not_open(client: Client, settings: Settings) -> None:
    settings.CA_KEY_PASSPHRASE = "another passphrase"
    signers.forget_keys()
    try:
        sentence = problems(client)["ca_key"]
    finally:
        signers.forget_keys()
    assert "another passphrase" not in sentence
    assert str(site_settings.SECRET_KEY) not in sentence


def test_it_is_not_ready_when_a_list_has_run_out(client: Client, authorities: dict[str, Authority]) -> None:
    past = timezone.now() - timedelta(hours=1)
    RevocationList.objects.filter(authority=authorities["developers"]).update(next_update=past)
    assert "no valid CRL" in problems(client)["crl"]


def test_it_is_not_ready_when_a_certificate_fails_the_lint(client: Client, authorities: dict[str, Authority]) -> None:
    serial = authorities["developers"].certificate.serial
    Certificate.objects.filter(serial=serial).update(lint_findings="ERROR pkix.example", linted_at=timezone.now())
    assert "ERROR pkix.example" in problems(client)["lint"]


@pytest.mark.usefixtures("authorities")
def test_it_is_not_ready_while_beat_or_the_workers_are_silent(client: Client, redis_client: redis.Redis) -> None:
    now = timezone.now().timestamp()
    redis_client.hset(heartbeats.KEY, mapping={heartbeats.BEAT: str(now), heartbeats.WORKER: str(now)})
    assert client.get("/readyz").json()["problems"] == {}
    redis_client.hset(heartbeats.KEY, heartbeats.BEAT, str(now - heartbeats.SILENCE_SECONDS - 1))
    assert list(problems(client)) == ["beat"]
    redis_client.hset(heartbeats.KEY, heartbeats.WORKER, str(now - heartbeats.SILENCE_SECONDS - 1))
    assert problems(client).keys() == {"beat", "worker"}
    assert "celery --app config worker" in problems(client)["worker"]


@pytest.mark.usefixtures("authorities")
def test_it_is_not_ready_while_an_endpoint_that_was_there_is_silent(client: Client, redis_client: redis.Redis) -> None:
    """Until it was seen nobody waits for it."""
    now = timezone.now().timestamp()
    redis_client.hset(heartbeats.KEY, mapping={heartbeats.BEAT: str(now), heartbeats.WORKER: str(now)})
    redis_client.hset(heartbeats.KEY, "watched since", str(now - 10 * heartbeats.SILENCE_SECONDS))
    assert client.get("/readyz").status_code == 200
    redis_client.hset(heartbeats.KEY, heartbeats.GATEWAY, str(now - heartbeats.SILENCE_SECONDS - 1))
    assert "python -m config.run.process gateway" in problems(client)["gateway"]
    redis_client.hset(heartbeats.KEY, heartbeats.GATEWAY, str(now))
    assert client.get("/readyz").status_code == 200


def test_a_part_that_was_never_seen_is_given_time_to_start() -> None:
    assert heartbeats.problems(now=1000.0) == {}
    assert heartbeats.problems(now=1000.0 + heartbeats.SILENCE_SECONDS) == {}
    assert heartbeats.problems(now=1001.0 + heartbeats.SILENCE_SECONDS).keys() == {"beat", "worker"}


@pytest.mark.django_db(transaction=True)
def test_real_workers_and_beat_show_that_they_work(tmp_path: Path) -> None:
    """To everybody in Redis, and each in a file of its own, which a container's health check looks at."""
    files = {part: tmp_path / f"{part}-heartbeat" for part in ("worker", "beat")}
    command = [sys.executable, "-m", "celery", "--app", "config", "beat", "--pidfile", ""]
    schedule = ["--schedule", str(tmp_path / "beat-schedule")]
    environment = site_environment() | {"HEARTBEAT_FILE": str(files["beat"])}
    with (
        open(tmp_path / "beat.log", "wb") as log,
        celery_worker(tmp_path / "worker.log", HEARTBEAT_FILE=str(files["worker"])),
    ):
        beat = subprocess.Popen([*command, *schedule], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            last_moment = time.monotonic() + PATIENCE_SECONDS
            while heartbeats.read().keys() < {"beat", "worker"} or not all(map(Path.exists, files.values())):
                assert time.monotonic() < last_moment, (tmp_path / "beat.log").read_text()
                time.sleep(0.2)
        finally:
            beat.terminate()
            beat.wait()
    assert heartbeats.problems(now=time.time()) == {}


def test_a_heartbeat_file_that_cannot_be_written_keeps_nobody_from_working(
    redis_client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(env, "HEARTBEAT_FILE", str(tmp_path / "none" / "heartbeat"))
    monkeypatch.setattr(heartbeats, "_told_at", {})
    heartbeats.beat(heartbeats.BEAT)
    assert "heartbeat cannot be written" in caplog.text
    assert heartbeats.read().keys() == {"beat"}


@pytest.mark.usefixtures("authorities")
def test_it_is_not_ready_without_the_endpoints_certificate(client: Client) -> None:
    server_certificates.chain_path().unlink()
    assert "Run manage.py certify_endpoint." in problems(client)["endpoint"]


@pytest.mark.usefixtures("authorities")
def test_it_is_not_ready_when_the_endpoints_certificate_was_not_renewed(client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=80)
    server_certificates.chain_path().unlink()
    server_certificates.certify_if_due(now=long_ago)
    assert "was not renewed" in problems(client)["endpoint"]
