"""A message is tried until it arrives or is given up, signed anew each time, and one bad webhook stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from connect.models import Company, DeliveryState, WebhookDelivery
from connect.webhooks import exchange, signing
from connect.webhooks.delivery import MOST_AGE, MOST_ATTEMPTS, Outcome, deliver, deliver_all, webhooks_with_due
from connect.webhooks.errors import NotReached
from tests.connect.factories import make_webhook, tell
from tests.connect.webhook_messages import HOUR, the_message
from tests.connect.webhook_receiver import answer, receiving

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


def unreachable(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nobody answers from now on; the messages that were tried are returned."""
    tried: list[str] = []

    def fail(_: object, body: bytes, headers: dict[str, str]) -> exchange.Answer:
        tried.append(headers["Rehearsal-Delivery"])
        raise NotReached("There was no answer within 5 seconds.")

    monkeypatch.setattr(exchange, "post", fail)
    return tried


def test_a_delivered_message_is_signed_and_remembered(acme: Company) -> None:
    with receiving(answer(201, b"thank you\x00")) as receiver:
        webhook, secret = make_webhook(acme, receiver.url("/hook?token=t0p"))
        tell(acme, subject="Signed – at last")
        now = timezone.now()
        assert deliver(the_message(webhook).pk, now=now) is Outcome.SENT
    row = the_message(webhook)
    assert (row.state, row.attempts, row.answered_status, row.answer) == (DeliveryState.SENT, 1, 201, "thank you")
    assert (row.sent_at, row.error) == (now, "")
    (request,) = receiver.received
    assert request.line == "POST /hook?token=t0p HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["rehearsal-delivery"] == str(row.pk) == request.message["id"]
    assert request.body.decode() == row.body
    assert request.message["subject"] == "Signed – at last"
    assert signing.is_genuine(request.headers["rehearsal-signature"], request.body, secret=secret, now=now)
    assert deliver(row.pk, now=now + 9 * HOUR) is Outcome.NOT_DUE
    assert len(receiver.received) == 1


def test_500_and_then_200(acme: Company) -> None:
    with receiving(answer(500, b"oops"), answer(200)) as receiver:
        webhook, secret = make_webhook(acme, receiver.url())
        tell(acme)
        first = timezone.now()
        assert deliver(the_message(webhook).pk, now=first) is Outcome.REFUSED
        row = the_message(webhook)
        assert (row.state, row.attempts, row.answered_status, row.answer) == (DeliveryState.DUE, 1, 500, "oops")
        assert row.error == "The receiver answered 500. Only 200 to 299 count as delivered."
        assert row.due_at == first + timedelta(minutes=1)
        assert deliver(row.pk, now=row.due_at - timedelta(seconds=1)) is Outcome.NOT_DUE
        assert deliver(row.pk, now=row.due_at) is Outcome.SENT
    row = the_message(webhook)
    assert (row.state, row.attempts, row.answered_status, row.error) == (DeliveryState.SENT, 2, 200, "")
    one, two = receiver.received
    assert one.body == two.body, "a message stays what it was"
    signatures = [request.headers["rehearsal-signature"] for request in (one, two)]
    assert len(set(signatures)) == 2, "each try is signed with its own time"
    assert signing.is_genuine(signatures[1], two.body, secret=secret, now=first + timedelta(minutes=1))
    assert not signing.is_genuine(signatures[0], one.body, secret=secret, now=first + HOUR)


def test_it_waits_longer_each_time_and_gives_up(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = unreachable(monkeypatch)
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    tell(acme)
    begin = now = timezone.now()
    waits = []
    while the_message(webhook).state == DeliveryState.DUE:
        assert deliver(the_message(webhook).pk, now=now) is Outcome.NOT_REACHED
        waits.append(int((the_message(webhook).due_at - now).total_seconds()) // 60)
        now = the_message(webhook).due_at
    row = the_message(webhook)
    assert (row.state, row.attempts, len(tried)) == (DeliveryState.FAILED, MOST_ATTEMPTS, MOST_ATTEMPTS)
    assert waits == [1, 2, 5, 10, 30, 60, 120, 240, 480, 480, 480, 480]
    assert row.error == "There was no answer within 5 seconds."
    assert now - begin < MOST_AGE
    assert deliver(row.pk, now=now + 100 * HOUR) is Outcome.NOT_DUE


def test_what_is_too_old_is_tried_once_more_and_given_up(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable(monkeypatch)
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    old = timezone.now() - MOST_AGE
    for number in range(3):
        tell(acme, event=f"old:{number}", now=old)
    tell(acme, event="new")
    assert deliver_all(webhook.pk, clock=timezone.now, seconds=60) is False
    states = dict(WebhookDelivery.objects.values_list("event", "state"))
    assert states == {"old:0": "failed", "old:1": "failed", "old:2": "failed", "new": "due"}
    assert set(WebhookDelivery.objects.filter(state="failed").values_list("error", flat=True)) == {
        "There was no answer within 5 seconds."
    }


def test_where_nobody_answers_the_other_messages_wait(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten messages to a dead address cost one time-out, not ten; and those of another address none."""
    tried = unreachable(monkeypatch)
    dead, _ = make_webhook(acme, "http://127.0.0.1:9/")
    other, _ = make_webhook(acme, "http://127.0.0.1:10/")
    for _ in range(10):
        tell(acme)
    begin = timezone.now()
    assert deliver_all(dead.pk, clock=lambda: begin, seconds=60) is False
    assert len(tried) == 1
    assert webhooks_with_due(now=begin, limit=9) == [other.pk]
    assert webhooks_with_due(now=begin + timedelta(minutes=1), limit=9) == [other.pk, dead.pk]
    assert WebhookDelivery.objects.filter(webhook=dead, attempts=0).count() == 9


def test_a_long_wait_of_one_message_holds_others_for_ten_minutes(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable(monkeypatch)
    make_webhook(acme, "http://127.0.0.1:9/")
    now = timezone.now()
    tell(acme, event="first", now=now)
    WebhookDelivery.objects.update(attempts=8)
    tell(acme, event="second", now=now)
    assert deliver(WebhookDelivery.objects.get(event="first").pk, now=now) is Outcome.NOT_REACHED
    due = dict(WebhookDelivery.objects.values_list("event", "due_at"))
    assert due == {"first": now + 8 * HOUR, "second": now + timedelta(minutes=10)}


def test_a_message_that_is_refused_holds_no_other(acme: Company) -> None:
    with receiving(answer(400), answer(200)) as receiver:
        webhook, _ = make_webhook(acme, receiver.url())
        for _ in range(3):
            tell(acme)
        assert deliver_all(webhook.pk, clock=timezone.now, seconds=60) is False
    states = WebhookDelivery.objects.order_by("created_at").values_list("state", flat=True)
    assert list(states) == ["due", "sent", "sent"]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (302, "a redirect. Redirects are not followed"),
        (404, "The receiver answered 404. Only 200 to 299"),
        (429, "The receiver answered 429"),
        (304, "a redirect"),
    ],
)
def test_every_other_answer_is_a_failure_in_words(acme: Company, status: int, sentence: str) -> None:
    with receiving(answer(status, b"", Location="https://elsewhere.example/")) as receiver:
        webhook, _ = make_webhook(acme, receiver.url())
        tell(acme)
        assert deliver(the_message(webhook).pk, now=timezone.now()) is Outcome.REFUSED
    row = the_message(webhook)
    assert sentence in row.error
    assert (row.state, row.answered_status) == (DeliveryState.DUE, status)


def test_410_ends_the_webhook(acme: Company) -> None:
    with receiving(answer(410, b"gone")) as receiver:
        webhook, _ = make_webhook(acme, receiver.url("/secret-path"))
        tell(acme, event="first")
        tell(acme, event="second")
        deliver_all(webhook.pk, clock=timezone.now, seconds=60)
    webhook.refresh_from_db()
    assert webhook.ended_at is not None
    assert len(receiver.received) == 1
    errors = dict(WebhookDelivery.objects.values_list("event", "error"))
    assert errors == {
        "first": "The receiver says that the address is gone for good (410).",
        "second": "The webhook was ended before this was delivered.",
    }
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}
    event = AuditEvent.objects.get(action="webhook.ended")
    assert (event.actor, event.after) == ("system", {"reason": "The receiver answered 410 Gone."})
    assert "secret-path" not in event.object_label
    tell(acme, event="third")
    assert WebhookDelivery.objects.count() == 2
