"""Sending one message: once, outside any transaction, by what is allowed now, and with no secret in a log."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from audit.models import AuditEvent
from connect.models import Company, DeliveryState, Webhook, WebhookDelivery
from connect.webhooks import administration, delivery, exchange
from connect.webhooks.delivery import Outcome, deliver, deliver_all, webhooks_with_due
from connect.webhooks.errors import NotReached
from tests.connect.factories import make_webhook, tell
from tests.connect.webhook_messages import HOUR, the_message
from tests.connect.webhook_receiver import answer, raw, receiving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


def test_a_worker_that_is_killed_while_it_sends_repeats_the_message(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        webhook, _ = make_webhook(acme, receiver.url())
        tell(acme)
        now = timezone.now()
        with monkeypatch.context() as patched:
            patched.setattr(delivery, "_judged", _killed)
            with pytest.raises(KeyboardInterrupt):
                deliver(the_message(webhook).pk, now=now)
        row = the_message(webhook)
        assert (row.state, row.attempts) == (DeliveryState.DUE, 1), "the try counts, so that it cannot go on for ever"
        assert deliver(row.pk, now=now + timedelta(seconds=59)) is Outcome.NOT_DUE
        assert deliver(row.pk, now=now + timedelta(seconds=60)) is Outcome.SENT
    one, two = receiver.received
    assert one.message["id"] == two.message["id"]


def _killed(*_: object, **__: object) -> Outcome:
    raise KeyboardInterrupt


def test_no_transaction_is_open_while_the_receiver_is_waited_for(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    tell(acme)
    depth = len(connection.savepoint_ids)
    depths = []

    def note(*_: object) -> exchange.Answer:
        depths.append(len(connection.savepoint_ids))
        return exchange.Answer(200, "")

    monkeypatch.setattr(exchange, "post", note)
    assert deliver(the_message(webhook).pk, now=timezone.now()) is Outcome.SENT
    assert depths == [depth]


def test_a_result_that_comes_after_the_lease_changes_nothing(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker has delivered it meanwhile."""
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    tell(acme)
    now = timezone.now()

    def slow(*_: object) -> exchange.Answer:
        WebhookDelivery.objects.update(state=DeliveryState.SENT, sent_at=now, answered_status=200)
        raise NotReached("too late")

    monkeypatch.setattr(exchange, "post", slow)
    deliver(the_message(webhook).pk, now=now)
    row = the_message(webhook)
    assert (row.state, row.answered_status, row.error) == (DeliveryState.SENT, 200, "")


def test_a_secret_that_cannot_be_opened_is_a_failure_in_words(acme: Company, settings: Settings) -> None:
    with receiving() as receiver:
        webhook, _ = make_webhook(acme, receiver.url())
        tell(acme)
        settings.SECRET_KEY = "another-key-of-fifty-characters-or-more-0123456789-abc"
        assert deliver(the_message(webhook).pk, now=timezone.now()) is Outcome.NOT_REACHED
    assert receiver.received == []
    assert "Was SECRET_KEY changed?" in the_message(webhook).error


def test_an_address_that_is_not_allowed_any_more_is_a_failure(acme: Company, settings: Settings) -> None:
    with receiving() as receiver:
        webhook, _ = make_webhook(acme, receiver.url())
        tell(acme)
        settings.WEBHOOK_ALLOW_PRIVATE = False
        assert deliver(the_message(webhook).pk, now=timezone.now()) is Outcome.NOT_REACHED
    assert receiver.received == []


def test_a_page_of_messages_and_no_more_at_once(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "post", lambda *_: exchange.Answer(200, ""))
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    for _ in range(101):
        tell(acme)
    assert deliver_all(webhook.pk, clock=timezone.now, seconds=0) is True
    assert WebhookDelivery.objects.filter(state="sent").count() == 0, "its time was over at once"
    assert deliver_all(webhook.pk, clock=timezone.now, seconds=600) is True
    assert WebhookDelivery.objects.filter(state="sent").count() == 100
    assert deliver_all(webhook.pk, clock=timezone.now, seconds=600) is False
    assert WebhookDelivery.objects.filter(state="sent").count() == 101


def test_the_sweep_reads_no_more_for_many(acme: Company) -> None:
    counts = []
    for number in (2, 20):
        webhook, _ = make_webhook(acme, f"http://127.0.0.{number}/")
        for _ in range(number):
            tell(acme)
        with CaptureQueriesContext(connection) as queries:
            found = webhooks_with_due(now=timezone.now(), limit=20)
        assert webhook.pk in found
        counts.append(len(queries))
    assert counts == [1, 1]


def test_secrets_and_tokens_are_in_no_log_and_not_in_the_database(
    acme: Company, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving(answer(500), raw(b"")) as receiver:
        webhook, secret = make_webhook(acme, receiver.url("/token-in-the-path"))
        tell(acme)
        deliver(the_message(webhook).pk, now=timezone.now())
        deliver(the_message(webhook).pk, now=timezone.now() + HOUR)
        fresh = administration.replace_secret(webhook, actor=Actor("x"), now=timezone.now())
    assert str(webhook.pk) in caplog.text
    for text in (secret, fresh, secret.removeprefix("whsec_"), "token-in-the-path"):
        assert text not in caplog.text
    kept = [str(row) for model in (Webhook, WebhookDelivery, AuditEvent) for row in model._default_manager.values()]
    kept += [bytes(row.secret).decode() for row in Webhook.objects.all()]
    assert not any(text in row for row in kept for text in (secret, fresh))
