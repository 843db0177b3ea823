"""What people do with webhooks: add, try, replay, replace the secret, end."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from audit.models import AuditEvent
from connect.models import Company, DeliveryState, Webhook, WebhookDelivery
from connect.webhooks import administration, signing
from connect.webhooks.administration import MOST_WEBHOOKS, add
from connect.webhooks.delivery import Outcome, deliver, deliver_all
from connect.webhooks.errors import WebhookRefused
from tests.connect.factories import make_webhook, tell
from tests.connect.webhook_messages import HOUR, the_message
from tests.connect.webhook_receiver import answer, receiving
from tests.factories import make_company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


def test_an_added_webhook_keeps_its_secret_sealed_and_is_audited(acme: Company) -> None:
    now = timezone.now()
    webhook, secret = add(
        scope=str(acme.pk),
        company=acme,
        url="https://Hooks.Example.com/t0ken",
        actor=Actor("sam@acme.example"),
        now=now,
    )
    webhook.refresh_from_db()
    assert (webhook.url, webhook.created_by) == ("https://hooks.example.com/t0ken", "sam@acme.example")
    assert signing.opened(webhook.secret) == secret
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.company) == ("webhook.added", "sam@acme.example", str(acme.pk))
    assert (event.object_label, event.project) == ("https://hooks.example.com", "")
    assert "t0ken" not in str(event.after)


def test_an_event_of_a_projects_webhook_names_the_project(acme: Company) -> None:
    make_webhook(acme, "https://hooks.example.com/", scope="8f0c2d5e-0c8e-4a2b-b7f5-1f8f5f0e9d11")
    assert AuditEvent.objects.get().project == "8f0c2d5e-0c8e-4a2b-b7f5-1f8f5f0e9d11"


def test_the_same_address_twice_is_refused_until_the_first_has_ended(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    with pytest.raises(WebhookRefused, match="already"):
        make_webhook(acme, "HTTPS://hooks.example.com:443")
    make_webhook(make_company(), "https://hooks.example.com/")
    administration.end(webhook, actor=Actor("x"), now=timezone.now())
    make_webhook(acme, "https://hooks.example.com/")


def test_there_are_ten_at_most(acme: Company) -> None:
    for number in range(MOST_WEBHOOKS):
        webhook, _ = make_webhook(acme, f"https://{number}.example/")
    with pytest.raises(WebhookRefused, match="10 webhooks already"):
        make_webhook(acme, "https://eleven.example/")
    make_webhook(acme, "https://eleven.example/", scope="of-a-project")
    administration.end(webhook, actor=Actor("x"), now=timezone.now())
    make_webhook(acme, "https://eleven.example/")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_who_add_at_once_do_not_pass_the_limit(acme: Company) -> None:
    for number in range(MOST_WEBHOOKS - 1):
        make_webhook(acme, f"https://{number}.example/")
    begin = threading.Barrier(4)
    refused: list[str] = []

    def try_to(number: int) -> None:
        begin.wait(20)
        try:
            make_webhook(acme, f"https://late-{number}.example/")
        except WebhookRefused as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=try_to, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Webhook.objects.filter(ended_at=None).count() == MOST_WEBHOOKS
    assert len(refused) == 3


def test_a_test_is_sent(acme: Company) -> None:
    with receiving() as receiver:
        webhook, _ = make_webhook(acme, receiver.url())
        message = administration.send_test(webhook, link="/here/", now=timezone.now())
        assert deliver(message.pk, now=timezone.now()) is Outcome.SENT
    (request,) = receiver.received
    assert request.message["type"] == "webhook.test"
    assert request.message["link"].endswith("/here/")


def test_a_replay_is_a_message_of_its_own(acme: Company) -> None:
    with receiving() as receiver:
        webhook, _ = make_webhook(acme, receiver.url())
        tell(acme, event="e" * 160, subject="Again")
        first = the_message(webhook)
        deliver(first.pk, now=timezone.now())
        first.refresh_from_db()
        second = administration.replay(first, now=timezone.now())
        third = administration.replay(_sent(second), now=timezone.now())
        deliver_all(webhook.pk, clock=timezone.now, seconds=60)
    one, *others = (request.message for request in receiver.received)
    assert [found["id"] for found in others] == [str(third.pk)]
    assert {**one, "id": str(third.pk), "replay_of": str(second.pk)} == others[0]


def test_what_is_due_is_not_replayed(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    tell(acme)
    with pytest.raises(WebhookRefused, match="still due"):
        administration.replay(the_message(webhook), now=timezone.now())


def test_tries_are_limited(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    now = timezone.now()
    for _ in range(administration.MOST_TRIES_AN_HOUR // 2):
        message = administration.send_test(webhook, link="/", now=now)
        administration.replay(_sent(message), now=now)
    with pytest.raises(WebhookRefused, match="60 times in the last hour"):
        administration.send_test(webhook, link="/", now=now)
    with pytest.raises(WebhookRefused, match="60 times in the last hour"):
        administration.replay(message, now=now)
    administration.send_test(webhook, link="/", now=now + HOUR)


def test_an_ended_one_does_nothing(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "http://127.0.0.1:9/")
    message = _sent(administration.send_test(webhook, link="/", now=timezone.now()))
    assert administration.end(webhook, actor=Actor("x"), now=timezone.now()) is True
    assert administration.end(webhook, actor=Actor("x"), now=timezone.now()) is False
    for act in (
        lambda: administration.send_test(webhook, link="/", now=timezone.now()),
        lambda: administration.replay(message, now=timezone.now()),
        lambda: administration.replace_secret(webhook, actor=Actor("x"), now=timezone.now()),
    ):
        with pytest.raises(WebhookRefused, match="has ended"):
            act()
    assert AuditEvent.objects.filter(action="webhook.ended").count() == 1


def test_a_replaced_secret_signs_from_now_on(acme: Company) -> None:
    with receiving(answer(500), answer(200)) as receiver:
        webhook, old = make_webhook(acme, receiver.url())
        tell(acme)
        now = timezone.now()
        deliver(the_message(webhook).pk, now=now)
        fresh = administration.replace_secret(webhook, actor=Actor("x"), now=now)
        deliver(the_message(webhook).pk, now=now + HOUR)
    first, second = receiver.received
    assert signing.is_genuine(first.headers["rehearsal-signature"], first.body, secret=old, now=now)
    assert signing.is_genuine(second.headers["rehearsal-signature"], second.body, secret=fresh, now=now + HOUR)
    assert not signing.is_genuine(second.headers["rehearsal-signature"], second.body, secret=old, now=now + HOUR)


def _sent(message: WebhookDelivery) -> WebhookDelivery:
    message.state, message.sent_at = DeliveryState.SENT, timezone.now()
    message.save()
    return message
