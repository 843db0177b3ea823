"""What goes after its time, what stays, and that a worker does it."""

from __future__ import annotations

import subprocess
import time
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from config.schedule import SCHEDULE
from connect import purge, tasks
from connect.models import DemoMail, Notice, NoticeState, Webhook, WebhookDelivery
from connect.models.notices import Channel
from connect.models.webhooks import DeliveryState
from tests.factories import make_company, make_user

pytestmark = pytest.mark.django_db
PATIENCE_SECONDS = 60
OLD = timedelta(days=401)


def make_notice(age: timedelta, **fields: object) -> Notice:
    at = timezone.now() - age
    values = {"kind": "test", "channel": Channel.MAIL, "address": "a@acme.example", "text": "text", "html": "<p>text"}
    times = {"created_at": at, "due_at": at, "state": NoticeState.SENT, "sent_at": at}
    return Notice.objects.create(event=f"test:{Notice.objects.count()}:{age}", **values, **{**times, **fields})


def make_session(ends_at: datetime, *, listed: bool = True) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.create()
    Session.objects.filter(pk=store.session_key).update(expire_date=ends_at)
    if listed:
        UserSession.objects.create(
            user=make_user(email=f"{store.session_key}@acme.example"),
            session_key=store.session_key,
            ip="192.0.2.7",
            user_agent="tests",
            created_at=timezone.now() - timedelta(hours=13),
        )
    return str(store.session_key)


def make_delivery(age: timedelta, state: DeliveryState) -> WebhookDelivery:
    at = timezone.now() - age
    webhook = Webhook.objects.first() or Webhook.objects.create(
        company=make_company(), scope="x", url="https://hooks.example/", secret=b"", created_at=at, created_by="a"
    )
    return WebhookDelivery.objects.create(
        webhook=webhook,
        event=f"test:{WebhookDelivery.objects.count()}:{age}",
        kind="test",
        body="{}",
        state=state,
        created_at=at,
        due_at=at,
        sent_at=at if state == DeliveryState.SENT else None,
    )


def test_ended_sessions_go_and_so_does_what_lists_them() -> None:
    now = timezone.now()
    make_session(now - timedelta(seconds=1))
    make_session(now - timedelta(days=3), listed=False)
    open_one = make_session(now + timedelta(hours=1))
    assert purge.purge_sessions(now=now) == 3
    assert list(Session.objects.values_list("pk", flat=True)) == [open_one]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [open_one]


def test_a_session_that_is_just_beginning_stays_listed() -> None:
    """Its row may be written a moment before the session itself is."""
    UserSession.objects.create(
        user=make_user(), session_key="beginning", ip="192.0.2.7", user_agent="t", created_at=timezone.now()
    )
    assert purge.purge_sessions(now=timezone.now()) == 0


@pytest.mark.parametrize("state", [NoticeState.SENT, NoticeState.FAILED, NoticeState.SKIPPED])
def test_notices_go_after_four_hundred_days(state: NoticeState) -> None:
    sent_at = timezone.now() - OLD if state == NoticeState.SENT else None
    make_notice(OLD, state=state, sent_at=sent_at)
    young = make_notice(timedelta(days=399))
    assert purge.purge_notices(now=timezone.now()) == 1
    assert list(Notice.objects.values_list("pk", flat=True)) == [young.pk]


def test_what_is_still_due_stays_whole() -> None:
    make_notice(OLD, state=NoticeState.DUE, sent_at=None)
    assert purge.purge_notices(now=timezone.now()) == 0
    assert Notice.objects.get().text == "text"


def test_that_an_end_was_told_of_is_remembered_without_the_text() -> None:
    make_notice(OLD, watched="portal:1", threshold=30)
    assert purge.purge_notices(now=timezone.now()) == 1
    left = Notice.objects.get()
    assert (left.text, left.html, left.watched, left.threshold) == (purge.REMOVED, "", "portal:1", 30)
    assert purge.purge_notices(now=timezone.now()) == 0, "once is enough"


def test_the_demos_mails_go_too() -> None:
    for age in (OLD, timedelta(days=1)):
        DemoMail.objects.create(
            message_id="1",
            sender="a",
            address="a@acme.example",
            subject="s",
            text="t",
            received_at=timezone.now() - age,
        )
    assert purge.purge_notices(now=timezone.now()) == 1
    assert DemoMail.objects.count() == 1


def test_messages_to_webhooks_go_after_ninety_days_unless_they_are_due() -> None:
    for state in DeliveryState:
        make_delivery(timedelta(days=91), state)
        make_delivery(timedelta(days=89), state)
    assert purge.purge_deliveries(now=timezone.now()) == 2
    assert WebhookDelivery.objects.filter(state=DeliveryState.DUE).count() == 2


def test_more_than_a_page_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "_PAGE", 2)
    for threshold in (None, 30):
        for _ in range(5):
            make_notice(OLD, threshold=threshold, watched="portal:1" if threshold else "")
    assert purge.purge_notices(now=timezone.now()) == 10
    assert Notice.objects.count() == 5


def test_a_worker_does_it(celery_worker_process: subprocess.Popen[bytes]) -> None:
    make_notice(OLD)
    make_session(timezone.now() - timedelta(days=1), listed=False)
    make_delivery(timedelta(days=91), DeliveryState.SENT)
    tasks.purge.delay()
    last_moment = time.monotonic() + PATIENCE_SECONDS
    while Notice.objects.exists() or Session.objects.exists() or WebhookDelivery.objects.exists():
        assert time.monotonic() < last_moment, "the worker did not remove them"
        time.sleep(0.2)


def test_beat_sends_it() -> None:
    assert tasks.purge.name in {entry["task"] for entry in SCHEDULE.values()}
