"""What is reported where SENTRY_DSN names a place: the error, and nothing that somebody sent."""

from __future__ import annotations

import gzip
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from certauthority.tasks import publish_revocation_lists
from config import error_reports
from connect import request_ids
from tests.config.conftest import clean_environment, run_python
from tests.processes import celery_worker, site_environment

PATIENCE_SECONDS = 60
FAIL = """
import sys
import django
django.setup()
from django.core.handlers.base import BaseHandler
from django.test import Client
def fail(self, request):
    held = sys.argv[2]
    raise ValueError("It failed, and said: " + __import__("django").conf.settings.SECRET_KEY)
BaseHandler.resolve_request = fail
canary = sys.argv[1]
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
client.cookies["canary"] = canary
answer = client.post("/accounts/login/?q=" + canary, {"login": canary, "password": canary},
                     headers={"Authorization": "Bearer " + canary, "User-Agent": canary})
print(answer.status_code, answer["X-Request-Id"])
"""


class Sink:
    """A Sentry that only listens: ``address`` is its DSN, ``envelopes`` what came."""

    def __init__(self) -> None:
        self.envelopes: list[bytes] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.envelopes.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://public@127.0.0.1:{self.server.server_address[1]}/1"

    def events(self) -> list[dict[str, Any]]:
        """The events in what came: the lines after each item's header."""
        lines = [line for envelope in self.envelopes for line in envelope.splitlines() if line]
        found = [json.loads(line) for line in lines]
        return [item for item in found if "event_id" in item and "level" in item]


@pytest.fixture
def sink() -> Iterator[Sink]:
    found = Sink()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.mark.django_db
def test_an_error_is_reported_without_what_was_sent(sink: Sink) -> None:
    canary, held = f"canary-{secrets.token_hex(12)}", f"held-{secrets.token_hex(12)}"
    environment = site_environment() | {"SENTRY_DSN": sink.address, "DJANGO_SETTINGS_MODULE": "config.settings"}
    secret = secrets.token_urlsafe(50)
    done = run_python("-c", FAIL, canary, held, environment=environment | {"SECRET_KEY": secret})
    assert done.returncode == 0, done.stderr
    status, request_id = done.stdout.split()
    assert status == "500"
    [event] = sink.events()
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert event["exception"]["values"][-1]["value"] == "It failed, and said: …"
    assert event["logentry"]["formatted"] == "Internal Server Error: /accounts/login/"
    assert event["tags"] == {"request_id": request_id}
    assert event["environment"] == "demo"
    assert {"request", "user", "breadcrumbs", "extra", "modules"} & event.keys() == set()
    for never in (canary, held, secret):
        assert all(never.encode() not in envelope for envelope in sink.envelopes)


@pytest.mark.usefixtures("transactional_db", "authorities")
def test_a_failing_task_is_reported_without_the_passphrase(sink: Sink, tmp_path: Path) -> None:
    canary = f"canary-{secrets.token_hex(12)}"
    with celery_worker(tmp_path / "worker.log", SENTRY_DSN=sink.address, CA_KEY_PASSPHRASE=canary):
        with request_ids.working_on("request-of-the-test"):
            publish_revocation_lists.delay()
        last_moment = time.monotonic() + PATIENCE_SECONDS
        while not (failed := [event for event in sink.events() if event.get("tags")]):
            assert time.monotonic() < last_moment, (tmp_path / "worker.log").read_text()
            time.sleep(0.2)
    assert "does not open with CA_KEY_PASSPHRASE" in json.dumps(failed[0])
    assert failed[0]["tags"] == {"request_id": "request-of-the-test"}
    assert all(canary.encode() not in envelope for envelope in sink.envelopes)


def test_nothing_is_sent_unless_it_is_asked_for(tmp_path: Path) -> None:
    program = "from config import settings; import sentry_sdk; print(sentry_sdk.get_client().is_active())"
    done = run_python("-c", program, environment=clean_environment(STATE_DIR=str(tmp_path)))
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("address", ["sentry.example.com", "https://sentry.example.com/1", "https://key@/1"])
def test_an_address_that_is_none_stops_the_start(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SENTRY_DSN is not the address"):
        error_reports.start(address, environment="demo")
