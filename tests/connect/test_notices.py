"""Notices: one row for each recipient and channel, delivered once, whatever the broker, the worker or the mail does."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import Settings

from connect import delivery, notices, tasks
from connect.mailbox import MailboxBackend
from connect.models import Channel, DemoMail, Notice, NoticeState, User
from connect.notices import Recipient
from tests.factories import make_user

KIND = "connect.access-granted"


def announce(*to: Recipient, event: str = "", now: datetime | None = None, **context: Any) -> None:
    """One message with a template of the tests' own."""
    with transaction.atomic():
        notices.announce(
            KIND,
            event=event or f"test:{uuid4()}",
            to=to,
            company=None,
            link="/connect/items/",
            now=now or timezone.now(),
            context={"title": "Access granted", **context},
        )


@pytest.fixture(autouse=True)
def own_templates(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("templates") / "notices"
    folder.mkdir()
    (folder / f"{KIND}.txt").write_text("{{ title }}\n\nHello {{ recipient.address }}: {{ title }}\n{{ link_url }}\n")
    (folder / f"{KIND}.html").write_text('{% extends "notices/mail.html" %}{% block body %}{{ title }}{% endblock %}')
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [folder.parent, *engine["DIRS"]]}]


@pytest.mark.django_db
def test_a_user_gets_a_mail_and_a_bell_and_a_group_mailbox_gets_mail_only() -> None:
    user = make_user(email="olga@acme.example")
    announce(Recipient("olga@acme.example", user), Recipient("Certs@acme.example"))
    rows = {(row.address, row.channel): row for row in Notice.objects.all()}
    assert set(rows) == {("olga@acme.example", "mail"), ("olga@acme.example", "bell"), ("certs@acme.example", "mail")}
    assert rows["olga@acme.example", "bell"].state == NoticeState.SENT
    row = rows["olga@acme.example", "mail"]
    assert row.state == NoticeState.DUE
    assert row.subject == "Access granted"
    assert row.text == "Hello olga@acme.example: Access granted\nhttp://localhost:8000/connect/items/"
    assert "<title>Access granted</title>" in row.html


@pytest.mark.django_db
def test_an_address_that_is_a_user_and_a_mailbox_is_told_once() -> None:
    user = make_user(email="olga@acme.example")
    announce(Recipient("OLGA@acme.example"), Recipient("olga@acme.example", user))
    assert Notice.objects.filter(channel=Channel.MAIL).count() == 1
    assert Notice.objects.get(channel=Channel.BELL).recipient == user


@pytest.mark.django_db
def test_the_same_event_reaches_the_same_address_once() -> None:
    announce(Recipient("a@acme.example"), event="twice")
    announce(Recipient("a@acme.example"), Recipient("b@acme.example"), event="twice")
    assert sorted(Notice.objects.values_list("address", flat=True)) == ["a@acme.example", "b@acme.example"]


@pytest.mark.django_db
def test_who_may_not_sign_in_any_more_is_not_told() -> None:
    active, gone = make_user(), make_user(is_active=False)
    assert notices.people([active, gone]) == [Recipient(active.email, active)]


@pytest.mark.django_db(transaction=True)
def test_a_notice_needs_the_transaction_of_what_it_tells_of() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        notices.announce(KIND, event="x", to=[], company=None, link="/", now=timezone.now(), context={})


@pytest.mark.django_db
def test_markup_and_line_ends_in_names_stay_text() -> None:
    announce(Recipient("a@acme.example"), title="<b>x</b>\r\nBcc: evil@x.example\u2028\x00")
    row = Notice.objects.get()
    assert row.subject == "<b>x</b>"
    assert not re.search(r"[\r\n\x00\u2028]", row.subject)
    assert "<b>x</b>" not in row.html
    assert "&lt;b&gt;x&lt;/b&gt;" in row.html


@pytest.mark.django_db
def test_the_mailbox_takes_a_message_once(settings: Settings) -> None:
    announce(Recipient("a@acme.example"))
    row = Notice.objects.get()
    message = delivery._mail(row)
    MailboxBackend().send_messages([message])
    MailboxBackend().send_messages([delivery._mail(row)])
    stored = DemoMail.objects.get()
    assert (stored.subject, stored.address) == ("Access granted", "a@acme.example")
    assert "<title>Access granted</title>" in stored.html


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.05)


def test_a_worker_delivers_after_the_commit(celery_worker_process: subprocess.Popen[bytes]) -> None:
    announce(Recipient("a@acme.example"))
    wait_until(lambda: Notice.objects.filter(state=NoticeState.SENT).exists())
    assert DemoMail.objects.get().address == "a@acme.example"


@pytest.mark.django_db(transaction=True)
def test_all_mails_of_an_event_are_one_message(redis_client: redis.Redis) -> None:
    announce(*(Recipient(f"{number}@acme.example") for number in range(10)))
    assert Notice.objects.filter(state=NoticeState.DUE).count() == 10
    assert redis_client.llen("celery") == 1


def test_the_sweep_finds_a_notice_whose_message_was_lost(
    celery_worker_process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: Any) -> None:
        raise OperationalError("no broker")

    with monkeypatch.context() as broken:
        broken.setattr(tasks.deliver_event, "delay", away)
        announce(Recipient("a@acme.example"))
    assert Notice.objects.get().state == NoticeState.DUE
    tasks.deliver_due_notices.delay()
    wait_until(lambda: Notice.objects.filter(state=NoticeState.SENT).exists())


@pytest.fixture
def client_of_user(db: None) -> tuple[Client, User]:
    user, client = make_user(), Client()
    client.force_login(user)
    return client, user


def test_opening_a_notice_marks_it_and_goes_where_it_leads(client_of_user: tuple[Client, User]) -> None:
    client, user = client_of_user
    announce(Recipient(user.email, user))
    announce(Recipient(user.email, user))
    assert notices.unread_count(user, at_most=99) == 2
    row = Notice.objects.filter(channel=Channel.BELL).first()
    assert row is not None
    response = client.post(reverse("connect:notice_open", args=[row.pk]))
    assert response["Location"] == "/connect/items/"
    assert notices.unread_count(user, at_most=99) == 1
    client.post(reverse("connect:notices_read"))
    assert notices.unread_count(user, at_most=99) == 0


def test_notices_of_others_do_not_exist(client_of_user: tuple[Client, User]) -> None:
    client, _ = client_of_user
    other = make_user()
    announce(Recipient(other.email, other), title="For other eyes")
    row = Notice.objects.get(channel=Channel.BELL)
    assert client.post(reverse("connect:notice_open", args=[row.pk])).status_code == 404
    assert client.get(reverse("connect:notices"), {"before": str(row.pk)}).status_code == 404
    assert "For other eyes" not in client.get(reverse("connect:notices")).content.decode()
    client.post(reverse("connect:notices_read"))
    assert notices.unread_count(other, at_most=99) == 1


def test_the_list_goes_on_to_older_ones_without_gap_or_repeat(client_of_user: tuple[Client, User]) -> None:
    client, user = client_of_user
    moment = timezone.now()
    for number in range(30):
        announce(Recipient(user.email, user), title=f"Number {number:02}", now=moment + timedelta(seconds=number // 3))
    first = client.get(reverse("connect:notices"))
    second = client.get(reverse("connect:notices"), {"before": str(first.context["older"])})
    shown = [row.subject for row in (*first.context["notices"], *second.context["notices"])]
    assert sorted(shown) == [f"Number {number:02}" for number in range(30)]
    assert second.context["older"] is None


def test_the_bell_counts_what_is_unread(client_of_user: tuple[Client, User]) -> None:
    client, user = client_of_user
    page = client.get(reverse("connect:notices")).content.decode()
    assert 'aria-label="Notices"' in page
    announce(Recipient(user.email, user))
    assert 'aria-label="Notices, 1 not read"' in client.get(reverse("connect:notices")).content.decode()


def test_mail_of_others_is_not_in_ones_mailbox(client_of_user: tuple[Client, User], settings: Settings) -> None:
    client, user = client_of_user
    assert user.company is not None
    settings.EMAIL_BACKEND = "connect.mailbox.MailboxBackend"
    user.company.group_email = "Group@acme.example"
    user.company.save()
    for address in (user.email, "group@acme.example", "other@acme.example"):
        announce(Recipient(address))
    tasks.deliver_due_notices()
    shown = {row.address for row in client.get(reverse("connect:mailbox")).context["mails"]}
    assert shown == {user.email, "group@acme.example"}
    other = DemoMail.objects.get(address="other@acme.example")
    own = DemoMail.objects.get(address=user.email)
    for name in ("connect:mail", "connect:mail_html"):
        assert client.get(reverse(name, args=[other.pk])).status_code == 404
        assert client.get(reverse(name, args=[own.pk])).status_code == 200
    policy = client.get(reverse("connect:mail_html", args=[own.pk]))["Content-Security-Policy"]
    assert "script-src 'none'" in policy
    assert "default-src 'none'" in policy
    settings.HAS_MAILBOX = False
    assert client.get(reverse("connect:mailbox")).status_code == 404


@pytest.mark.django_db
def test_counting_the_unread_does_not_walk_through_the_read_nor_through_mails() -> None:
    user, now = make_user(), timezone.now()
    Notice.objects.bulk_create(
        Notice(
            event=f"test:{number}",
            channel=channel,
            address=user.email,
            recipient=user,
            state=NoticeState.SENT,
            created_at=now - timedelta(seconds=number),
            due_at=now,
            sent_at=now,
            read_at=now if channel is Channel.BELL else None,
        )
        for number in range(2000)
        for channel in Channel
    )
    announce(Recipient(user.email, user))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE connect_notice")
        if connection.vendor != "postgresql":
            assert "notice_unread_bell" in notices._unread(user).explain()
            assert "notice_of_user" in notices.bell_of(user).explain()
            return
        # As after some requests on one connection, when the server no longer plans for each person.
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        before = rows_read(cursor)
        for _ in range(10):
            assert notices.unread_count(user, at_most=99) == 1
            assert len(notices._unread(user)) == 1
            assert len(notices.bell_of(user)[:5]) == 5
        assert rows_read(cursor) - before < 150


def rows_read(cursor: CursorWrapper) -> int:
    """How many rows of notices this transaction has looked at."""
    cursor.execute("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'connect_notice'")
    return int(cursor.fetchone()[0])
