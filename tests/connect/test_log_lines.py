"""No address that opens something for whoever knows it stands in a log, whatever is wrong with a request to it."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from connect import preferences
from connect.expiry import digest
from connect.expiry.snooze import snooze_url
from connect.models import User
from connect.views import calendar_feed
from tests.connect.expiry_mails import lifetime
from tests.factories import make_company, make_credential, make_project, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]


@pytest.fixture
def alice() -> User:
    return make_user(email="alice@acme.example", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def paths(alice: User) -> dict[str, str]:
    """The three addresses, by the part that must not be told."""
    secret = preferences.make_calendar_address(alice, actor=Actor(alice.email), now=timezone.now())
    link = snooze_url(lifetime(make_credential(make_project(admin=alice))), alice.email)
    token = link.rstrip("/").rpartition("/")[2]
    return {
        secret: reverse("connect:calendar_feed", args=[secret]),
        token: reverse("connect:snooze_link", args=[token]),
        digest.token_of(alice): digest.unsubscribe_path(alice),
    }


@pytest.mark.parametrize("method", ["OPTIONS", "PROPFIND", "POST", "DELETE"])
@pytest.mark.parametrize("checks_csrf", [True, False], ids=["csrf", "no-csrf"])
def test_a_method_that_is_refused_tells_no_secret(
    paths: dict[str, str], caplog: pytest.LogCaptureFixture, method: str, checks_csrf: bool
) -> None:
    client = Client(enforce_csrf_checks=checks_csrf)
    caplog.set_level(logging.WARNING)
    statuses = [client.generic(method, path).status_code for path in paths.values()]
    assert statuses.count(405) + statuses.count(403) == sum("/connect/" in line for line in caplog.messages) > 0
    assert [line for line in caplog.messages if any(secret in line for secret in paths)] == []


def test_nor_does_a_page_that_fails(
    alice: User, paths: dict[str, str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise OSError("the database is away")

    monkeypatch.setattr(calendar_feed, "feed_of", fail)
    secret, path = next(iter(paths.items()))
    assert Client(raise_request_exception=False).get(path).status_code == 500
    assert "Internal Server Error: /connect/calendar/…" in caplog.text
    assert secret not in caplog.text
