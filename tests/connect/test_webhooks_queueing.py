"""Each webhook of a scope gets one message for each event, and only what belongs to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from connect.expiry.sources import lifetime_of
from connect.models import Company, DeliveryState, Webhook, WebhookDelivery
from connect.webhooks import WebhookEvent, certificate_facts, queue_events
from connect.webhooks.administration import end
from connect.webhooks.payload import BODY_BYTES
from tests.connect.factories import make_webhook, move_clock, tell
from tests.factories import let_expire, make_company, make_credential, make_project

pytestmark = pytest.mark.django_db


def bodies(webhook: Webhook) -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in WebhookDelivery.objects.filter(webhook=webhook).order_by("created_at")]


def event(company: Company, **fields: Any) -> WebhookEvent:
    values: dict[str, Any] = {"event": "e:1", "kind": "k", "subject": "s", "text": "", "link": "/", "data": {}}
    return WebhookEvent(**{"scope": str(company.pk), "company": company, "now": timezone.now(), **values, **fields})


def test_a_message_says_what_happened_when_and_where(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    now = datetime(2027, 2, 28, 23, 59, 58, 700_000, tzinfo=UTC)
    tell(acme, event="e:1", kind="kmp.request-signed", subject="Signed", text="Line", link="/kmp/x/", now=now)
    (row,) = WebhookDelivery.objects.filter(webhook=webhook)
    assert (row.state, row.attempts, row.due_at, row.kind) == (DeliveryState.DUE, 0, now, "kmp.request-signed")
    assert json.loads(row.body) == {
        "id": str(row.pk),
        "type": "kmp.request-signed",
        "event": "e:1",
        "occurred_at": "2027-02-28T23:59:58Z",
        "company_time": "2027-02-28T23:59:58Z",
        "company": {"id": str(acme.pk), "name": "Acme Payments Ltd", "cid": "123456"},
        "scope": str(acme.pk),
        "subject": "Signed",
        "text": "Line",
        "link": f"{site_settings.SITE_URL}/kmp/x/",
    }


def test_both_times_of_a_company_that_is_ahead(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    move_clock(acme, timedelta(days=30))
    tell(acme, now=datetime(2027, 1, 1, tzinfo=UTC))
    (body,) = bodies(webhook)
    assert (body["occurred_at"], body["company_time"]) == ("2027-01-01T00:00:00Z", "2027-01-31T00:00:00Z")


def test_only_live_webhooks_of_the_scope_are_told(acme: Company) -> None:
    project = make_project(name="Checkout")
    one, _ = make_webhook(acme, "https://one.example/")
    two, _ = make_webhook(acme, "https://two.example/")
    ended, _ = make_webhook(acme, "https://ended.example/")
    other, _ = make_webhook(make_company(), "https://one.example/")
    of_project, _ = make_webhook(acme, "https://one.example/", scope=str(project.pk))
    end(ended, actor=Actor("officer"), now=timezone.now())
    tell(acme)
    assert [len(bodies(webhook)) for webhook in (one, two, ended, other, of_project)] == [1, 1, 0, 0, 0]
    assert bodies(one)[0]["id"] != bodies(two)[0]["id"]
    tell(acme, scope=str(project.pk))
    assert [len(bodies(webhook)) for webhook in (one, of_project)] == [1, 1]


def test_the_same_event_is_queued_once(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    tell(acme, event="same")
    tell(acme, event="same")
    tell(acme, event="other")
    assert sorted(body["event"] for body in bodies(webhook)) == ["other", "same"]


def test_what_is_rolled_back_is_not_told(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    with transaction.atomic():
        queue_events([event(acme)])
        transaction.set_rollback(True)
    assert bodies(webhook) == []


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_a_mistake(acme: Company) -> None:
    with pytest.raises(RuntimeError, match="atomic"):
        queue_events([event(acme)])


@pytest.mark.parametrize("count", [1, 200])
def test_where_nobody_listens_a_page_costs_one_query(acme: Company, count: int) -> None:
    events = [event(acme, event=f"e:{number}", scope=str(number)) for number in range(count)]
    with CaptureQueriesContext(connection) as queries:
        queue_events(events)
        queue_events([])
    assert len(queries) == 1


@pytest.mark.parametrize("count", [2, 200])
def test_a_page_for_many_webhooks_costs_two(acme: Company, count: int) -> None:
    for number in range(10):
        make_webhook(acme, f"https://{number}.example/")
    events = [event(acme, event=f"e:{number}") for number in range(count)]
    with CaptureQueriesContext(connection) as queries:
        queue_events(events)
    assert WebhookDelivery.objects.count() == 10 * count
    rows = list(WebhookDelivery.objects.all())
    batch = min(500, connection.ops.bulk_batch_size(WebhookDelivery._meta.concrete_fields, rows))
    inserts = -(-10 * count // batch)
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 1 + inserts


@pytest.mark.parametrize("text", ["x" * 100_000, "\U0001f511" * 8_000, "\x00\u2028\u202e" * 9_000])
def test_a_message_never_grows_over_its_limit(acme: Company, text: str) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    tell(acme, text=text, data={"certificate": {"name": "payouts"}})
    (row,) = WebhookDelivery.objects.filter(webhook=webhook)
    assert len(row.body.encode()) <= BODY_BYTES
    assert row.body.isascii()
    assert json.loads(row.body)["subject"] == "Something happened"


def test_data_too_long_is_left_out_and_said_so(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    tell(acme, text="short", data={"certificate": "x" * BODY_BYTES})
    (body,) = bodies(webhook)
    assert body["shortened"] is True
    assert "certificate" not in body


def test_data_replaces_nothing_that_is_the_messages_own(acme: Company) -> None:
    webhook, _ = make_webhook(acme, "https://hooks.example.com/")
    tell(acme, subject="true", data={"id": "x", "subject": "false", "extra": 1})
    (body,) = bodies(webhook)
    assert body["subject"] == "true"
    assert body["id"] != "x"
    assert body["extra"] == 1


@pytest.mark.usefixtures("authorities")
def test_the_facts_of_a_certificate_follow_it() -> None:
    project = make_project(name="Checkout")
    credential = make_credential(project, alias="payouts")
    lifetime = lifetime_of(f"portal:{credential.pk}")
    assert lifetime is not None
    facts = certificate_facts(lifetime, now=timezone.now())
    assert facts["name"] == "payouts"
    assert facts["common_name"] == credential.certificate.common_name
    assert facts["serial"] == credential.certificate.serial
    assert facts["fingerprint"] == credential.certificate.fingerprint
    assert facts["place"] == "Checkout"
    assert facts["environment"] == "Sandbox"
    assert facts["successor"] is None
    left = (credential.certificate.not_after.date() - timezone.now().date()).days
    assert facts["days_left"] == left
    assert certificate_facts(lifetime, now=timezone.now() + timedelta(days=30))["days_left"] == left - 30
    renewal = make_credential(project, alias="payouts-2", predecessor=credential)
    renewed = lifetime_of(f"portal:{credential.pk}")
    assert renewed is not None
    assert certificate_facts(renewed, now=timezone.now())["successor"] == "payouts-2"
    let_expire(renewal, in_days=-1)
    expired = lifetime_of(f"portal:{credential.pk}")
    assert expired is not None
    assert certificate_facts(expired, now=timezone.now())["successor"] is None, "it takes nothing over"
