"""Messages on their real way: committed, sent through Redis, and delivered by worker processes, each once."""

from __future__ import annotations

import base64
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.conf import settings as site_settings
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from connect import tasks
from connect.models import Company, DeliveryState, WebhookDelivery
from tests.connect.factories import make_webhook, tell
from tests.connect.webhook_receiver import answer, receiving
from tests.processes import celery_worker

PATIENCE_SECONDS = 60

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _private(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


def wait_until(is_so: Callable[[], bool], *, meanwhile: Callable[[], object] = bool) -> None:
    last_moment = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        meanwhile()
        time.sleep(0.2)


def are_all(state: DeliveryState) -> bool:
    return not WebhookDelivery.objects.exclude(state=state).exists()


def test_a_worker_delivers_what_was_committed(acme: Company, tmp_path: Path) -> None:
    with receiving() as receiver, celery_worker(tmp_path / "one.log", WEBHOOK_ALLOW_PRIVATE="true"):
        _, secret = make_webhook(acme, receiver.url())
        with transaction.atomic():
            tell(acme, subject="Committed")
            time.sleep(0.5)
            assert receiver.received == [], "nothing is sent before the commit"
        wait_until(lambda: are_all(DeliveryState.SENT))
    (request,) = receiver.received
    assert request.message["subject"] == "Committed"
    assert secret not in (tmp_path / "one.log").read_text()


def test_the_sweep_delivers_what_failed_and_what_was_lost(
    acme: Company, tmp_path: Path, redis_client: redis.Redis
) -> None:
    with receiving(answer(500), answer(200)) as receiver:
        make_webhook(acme, receiver.url())
        tell(acme)
        redis_client.flushdb()
        with celery_worker(tmp_path / "one.log", WEBHOOK_ALLOW_PRIVATE="true"):
            tasks.deliver_due_webhooks.delay()
            wait_until(lambda: WebhookDelivery.objects.filter(attempts=1, answered_status=500).exists())
            WebhookDelivery.objects.update(due_at=timezone.now())
            tasks.deliver_due_webhooks.delay()
            wait_until(lambda: are_all(DeliveryState.SENT))
    assert len(receiver.received) == 2


def test_two_workers_at_once_send_each_message_once(acme: Company, tmp_path: Path) -> None:
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    with (
        receiving(slowly) as receiver,
        celery_worker(logs[0], WEBHOOK_ALLOW_PRIVATE="true"),
        celery_worker(logs[1], WEBHOOK_ALLOW_PRIVATE="true"),
    ):
        for path in ("/one", "/two", "/three"):
            make_webhook(acme, receiver.url(path))
        for _ in range(20):
            tell(acme)
        wait_until(lambda: are_all(DeliveryState.SENT), meanwhile=tasks.deliver_due_webhooks.delay)
    ids = [request.message["id"] for request in receiver.received]
    assert len(ids) == len(set(ids)) == 60
    assert set(WebhookDelivery.objects.values_list("attempts", flat=True)) == {1}
    assert all("deliver_webhook" in log.read_text().partition("ready.")[2] for log in logs), "both had their share"


def slowly(connection: socket.socket, over: threading.Event) -> None:
    """A receiver that thinks before it answers, so that a second worker has time to do the same."""
    over.wait(0.1)
    answer(200)(connection, over)


def test_a_message_names_the_webhook_and_no_secret(acme: Company, redis_client: redis.Redis) -> None:
    webhook, secret = make_webhook(acme, "https://hooks.example.com/token-in-path")
    tell(acme)
    queued = b"".join(bytes(piece) for piece in redis_client.lrange("celery", 0, -1) if isinstance(piece, bytes))
    assert queued, "a message went to the broker"
    assert str(webhook.pk).encode() in _decoded(queued)
    assert secret.encode() not in _decoded(queued)
    assert b"token-in-path" not in _decoded(queued)


def test_beat_sends_the_sweep() -> None:
    assert "connect.tasks.deliver_due_webhooks" in {
        entry["task"] for entry in site_settings.CELERY_BEAT_SCHEDULE.values()
    }


def _decoded(queued: bytes) -> bytes:
    """The messages and, decoded, the bodies that stand in them in base64."""
    bodies = re.findall(rb'"body": ?"([A-Za-z0-9+/=]+)"', queued)
    assert bodies
    return queued + b"".join(map(base64.b64decode, bodies))
