"""What people are told reaches the webhooks of the same scope, in the transaction that tells it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import RevocationReason
from connect import notices
from connect.expiry.scan import scan_company
from connect.models import Company, WebhookDelivery
from kmp import entries
from kmp.applications import create_applications
from kmp.models import InventoryEntry
from portal import news
from portal.models import Credential
from portal.revocation import revoke
from tests.connect.factories import make_webhook
from tests.factories import let_expire, make_credential, make_project
from tests.kmp.factories import let_entry_expire, make_entry

pytestmark = pytest.mark.django_db


def told() -> list[dict[str, Any]]:
    return [json.loads(row.body) for row in WebhookDelivery.objects.order_by("created_at")]


def announce(company: Company | None, scope: str) -> None:
    with transaction.atomic():
        notices.announce(
            "connect.company-verified",
            event="verified",
            to=[],
            company=company,
            link="/connect/company/",
            now=timezone.now(),
            context={"claim": {"cid": "123456"}, "company_name": "Acme", "cid": "123456"},
            scope=scope,
        )


def test_a_notice_of_the_scope_is_told_even_where_no_person_is(acme: Company) -> None:
    make_webhook(acme, "https://hooks.example.com/")
    announce(acme, str(acme.pk))
    (message,) = told()
    assert message["type"] == "connect.company-verified"
    assert message["subject"]
    assert message["text"]
    assert "certificate" not in message


def test_what_belongs_to_no_scope_is_told_to_people_alone(acme: Company) -> None:
    make_webhook(acme, "https://hooks.example.com/")
    announce(acme, "")
    announce(None, str(acme.pk))
    assert told() == []


def test_without_a_webhook_it_costs_one_query(acme: Company) -> None:
    with CaptureQueriesContext(connection) as without:
        announce(acme, "")
    with CaptureQueriesContext(connection) as with_scope:
        announce(acme, str(acme.pk))
    assert len(with_scope) - len(without) == 1


@pytest.mark.usefixtures("authorities")
def test_the_life_of_a_credential() -> None:
    project = make_project(name="Checkout")
    make_webhook(project.company, "https://hooks.example.com/", scope=str(project.pk))
    make_webhook(project.company, "https://company.example.com/")
    credential = make_credential(project, alias="payouts")
    news.tell()
    let_expire(credential, in_days=30)
    Credential.objects.update(next_notice_at=timezone.now() - timedelta(days=1))
    scan_company(project.company, now=timezone.now())
    revoke(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("alice@acme.example"), now=timezone.now())
    added, expires, revoked = told()
    assert [message["type"] for message in (added, expires, revoked)] == [
        "portal.credential-added",
        "connect.certificate-expires",
        "portal.credential-revoked",
    ]
    assert {message["scope"] for message in (added, expires, revoked)} == {str(project.pk)}
    assert {message["certificate"]["serial"] for message in (added, expires, revoked)} == {
        credential.certificate.serial
    }
    assert expires["certificate"]["days_left"] == 30
    assert expires["threshold"] == 30
    assert "30 days" in expires["subject"]
    assert "payouts was revoked" in revoked["subject"]


@pytest.mark.usefixtures("authorities")
def test_the_life_of_a_kmp_certificate(acme: Company) -> None:
    create_applications()
    make_webhook(acme, "https://hooks.example.com/")
    entry = make_entry(acme)
    let_entry_expire(entry, in_days=7)
    InventoryEntry.objects.update(next_notice_at=timezone.now() - timedelta(days=1))
    scan_company(acme, now=timezone.now())
    entries.revoke(entry, reason=RevocationReason.SUPERSEDED, actor=Actor("olga@acme.example"), now=timezone.now())
    expires, revoked = told()
    assert (expires["type"], revoked["type"]) == ("connect.certificate-expires", "kmp.certificate-revoked")
    assert expires["certificate"]["name"] == revoked["certificate"]["name"] == entry.reference
    assert expires["certificate"]["days_left"] == 7
