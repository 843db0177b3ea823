"""Sending work to a broker that is away, hangs, or comes back: nobody waits for it, and nothing is lost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from certauthority import tasks
from certauthority.background import broker_pause, enqueue
from connect.models import Channel, Notice, NoticeState
from tests.broker import Broker
from tests.processes import ROOT, site_environment

GUARD_SECONDS = 60
EVENTS, RECIPIENTS = ("kmp.request-submitted", "kmp.request-waiting"), 10

# What Submit does: a change with two announcements and one task for a worker, in one transaction.
SUBMIT = f"""
import django
django.setup()
from django.db import transaction
from django.utils import timezone
from certauthority.background import enqueue
from connect.notices import Recipient, announce
from kmp.tasks import process_request

everybody = [Recipient(f"{{number}}@acme.example") for number in range({RECIPIENTS})]
print("ready", flush=True)
input()
with transaction.atomic():
    for kind in {EVENTS}:
        announce(
            kind, event=f"{{kind}}:1", to=everybody, company=None, link="/", now=timezone.now(),
            context={{"request": {{"number": "REQ-00000001"}}}},
        )
    transaction.on_commit(lambda: enqueue(process_request, "00000000-0000-0000-0000-000000000000"))
print("committed", flush=True)
"""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of loopback that refuses every connection: it is bound, and nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of loopback that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("port", ["closed_port", "silent_port"])
def test_a_submit_does_not_wait_for_a_broker_that_is_away(
    transactional_db: None, port: str, request: pytest.FixtureRequest
) -> None:
    url = f"redis://127.0.0.1:{request.getfixturevalue(port)}/0"
    environment = {**site_environment(), "REDIS_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = subprocess.Popen(
        [sys.executable, "-c", SUBMIT],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": os.fspath(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        said, errors = process.communicate("\n", timeout=GUARD_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert said == "committed\n", errors
    assert errors.count("The broker is away") == 1, "it is asked once, and then left alone"
    mails = Notice.objects.filter(channel=Channel.MAIL, state=NoticeState.DUE)
    assert mails.count() == len(EVENTS) * RECIPIENTS, "the sweep finds them"


def test_messages_are_sent_again_once_the_broker_is_back(own_broker: Broker) -> None:
    task = tasks.lint_issued_certificates
    with own_broker.running() as client:
        enqueue(task)
        assert client.llen("celery") == 1
    enqueue(task)
    assert broker_pause.lasts
    with own_broker.running() as client:
        enqueue(task)
        assert client.llen("celery") == 0, "it is still left alone"
        broker_pause.end()
        enqueue(task)
        assert client.llen("celery") == 1
    assert not broker_pause.lasts
