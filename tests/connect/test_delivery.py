"""Mails leave one by one: a bad mail stops no other, and a mail server that is away is left alone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any
from uuid import uuid4

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings as site_settings
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from connect import delivery, tasks
from connect.delivery import Outcome
from connect.mailbox import MailboxBackend
from connect.models import Channel, DemoMail, Notice, NoticeState

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
REFUSED = SMTPRecipientsRefused({"a@acme.example": (550, b"no such user")})

Sent = list[str]


def make_mail(address: str = "a@acme.example", *, age: int = 0, **fields: str) -> Notice:
    """A mail that is due since so many minutes."""
    moment = timezone.now() - timedelta(minutes=age)
    values = {"event": f"test:{uuid4()}", "subject": "Access granted", "text": "Hello", "html": "<p>Hello</p>"}
    return Notice.objects.create(
        **{**values, **fields}, kind="test", channel=Channel.MAIL, address=address, created_at=moment, due_at=moment
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[[str, Exception], Sent]:
    """Makes mails to one address raise this error; returns the addresses that were tried, in order."""
    settings.EMAIL_BACKEND = LOCMEM

    def fail(address: str, error: Exception) -> Sent:
        tried: Sent = []
        send = EmailMultiAlternatives.send

        def send_or_fail(self: EmailMultiAlternatives, fail_silently: bool = False) -> int:
            tried.append(self.to[0])
            if self.to == [address]:
                raise error
            return send(self, fail_silently)

        monkeypatch.setattr(EmailMultiAlternatives, "send", send_or_fail)
        return tried

    return fail


@pytest.fixture
def silent_server(settings: Settings) -> Iterator[socket.socket]:
    """A mail server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as server:
        settings.EMAIL_BACKEND = SMTP
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_TIMEOUT = 0.2
        yield server


def connections(server: socket.socket) -> int:
    """How many have connected to the silent server."""
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@pytest.mark.django_db
def test_a_mail_is_sent_once_with_a_message_id_of_its_own(settings: Settings) -> None:
    settings.EMAIL_BACKEND = LOCMEM
    row, now = make_mail(), timezone.now()
    assert delivery.deliver(row.pk, now=now) is Outcome.SENT
    assert delivery.deliver(row.pk, now=now) is Outcome.NOT_DUE
    (sent,) = mail.outbox
    assert sent.to == ["a@acme.example"]
    assert sent.message()["Message-ID"] == f"<{row.pk}@localhost>"
    assert isinstance(sent, EmailMultiAlternatives)
    assert [mimetype for _, mimetype in sent.alternatives] == ["text/html"]
    row.refresh_from_db()
    assert (row.state, row.attempts, row.sent_at) == (NoticeState.SENT, 1, now)


@pytest.mark.django_db
def test_a_mail_server_that_is_down_for_an_hour_loses_nothing(
    failing: Callable[[str, Exception], Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, now = make_mail(), timezone.now()
    tried = failing(row.address, SMTPServerDisconnected("gone"))
    for minute in range(61):
        delivery.deliver(row.pk, now=now + timedelta(minutes=minute))
    row.refresh_from_db()
    assert row.state == NoticeState.DUE
    assert 4 <= row.attempts == len(tried) <= 7
    assert row.error == "SMTPServerDisconnected: gone"
    monkeypatch.undo()
    assert delivery.deliver(row.pk, now=now + timedelta(minutes=61)) is Outcome.NOT_DUE
    assert delivery.deliver(row.pk, now=row.due_at) is Outcome.SENT


@pytest.mark.django_db
def test_an_address_that_will_never_work_is_given_up_at_once(failing: Callable[[str, Exception], Sent]) -> None:
    row = make_mail()
    failing(row.address, REFUSED)
    assert delivery.deliver(row.pk, now=timezone.now()) is Outcome.NOT_SENT
    row.refresh_from_db()
    assert row.state == NoticeState.FAILED


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [SMTPRecipientsRefused({"a@acme.example": (451, b"later")}), ValueError("secret"), SoftTimeLimitExceeded()]
)
def test_after_the_last_attempt_it_has_failed(
    settings: Settings, failing: Callable[[str, Exception], Sent], error: Exception
) -> None:
    settings.NOTICE_MAX_ATTEMPTS = 3
    row = make_mail()
    tried = failing(row.address, error)
    for day in range(5):
        delivery.deliver(row.pk, now=timezone.now() + timedelta(days=day))
    row.refresh_from_db()
    assert (row.state, row.attempts, len(tried)) == (NoticeState.FAILED, 3, 3)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [ValueError("Hello secret"), UnicodeEncodeError("ascii", "secret", 0, 1, "x"), RuntimeError("secret")]
)
def test_a_mail_that_cannot_be_built_stops_no_other(
    failing: Callable[[str, Exception], Sent], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    bad, good = make_mail("bad@acme.example", age=5), make_mail()
    failing(bad.address, error)
    tasks.deliver_due_notices()
    for row in (bad, good):
        row.refresh_from_db()
    assert good.state == NoticeState.SENT
    assert (bad.state, bad.attempts, bad.error) == (NoticeState.DUE, 1, type(error).__name__)
    assert bad.due_at > timezone.now()
    assert type(error).__name__ in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.django_db
def test_a_mail_that_the_database_refuses_stops_no_other(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_BACKEND = "connect.mailbox.MailboxBackend"
    bad, good = make_mail("bad@acme.example", age=5), make_mail()
    store = MailboxBackend._store

    def refuse(self: MailboxBackend, message: EmailMessage, address: str) -> None:
        if address == bad.address:
            with connection.cursor() as cursor:
                cursor.execute("SELECT refused FROM nowhere")
        store(self, message, address)

    monkeypatch.setattr(MailboxBackend, "_store", refuse)
    tasks.deliver_due_notices()
    bad.refresh_from_db()
    assert (bad.state, bad.attempts) == (NoticeState.DUE, 1)
    assert DemoMail.objects.get().address == good.address


@pytest.mark.django_db
def test_a_refused_address_stops_no_other(failing: Callable[[str, Exception], Sent]) -> None:
    bad, good = make_mail("bad@acme.example", age=5), make_mail()
    tried = failing(bad.address, REFUSED)
    tasks.deliver_due_notices()
    assert tried == [bad.address, good.address]


@pytest.mark.django_db
@pytest.mark.parametrize("error", [SMTPServerDisconnected("gone"), ConnectionRefusedError(), SoftTimeLimitExceeded()])
def test_a_mail_server_that_is_away_ends_the_sweep(failing: Callable[[str, Exception], Sent], error: Exception) -> None:
    first, second = make_mail("first@acme.example", age=5), make_mail()
    tried = failing(first.address, error)
    tasks.deliver_due_notices()
    assert tried == [first.address]
    second.refresh_from_db()
    assert (second.state, second.attempts) == (NoticeState.DUE, 0)
    tasks.deliver_due_notices()
    assert tried == [first.address, second.address], "the next sweep begins with those that were not tried"


@pytest.mark.django_db
def test_a_mail_server_that_hangs_is_asked_once_by_the_mails_of_many_events(silent_server: socket.socket) -> None:
    for number in range(4):
        make_mail(f"{number}@acme.example", event=f"test:{number}")
        make_mail("group@acme.example", event=f"test:{number}")
    for number in range(4):
        tasks.deliver_event(f"test:{number}")
    assert connections(silent_server) == 1
    assert Notice.objects.filter(attempts=0, state=NoticeState.DUE).count() == 7
    tasks.deliver_due_notices()
    assert connections(silent_server) == 1, "the sweep asks again, once"
    assert Notice.objects.filter(attempts=0, state=NoticeState.DUE).count() == 6


def test_what_beat_sends_does_not_pile_up_while_workers_are_away() -> None:
    beat: dict[str, dict[str, Any]] = site_settings.CELERY_BEAT_SCHEDULE
    for name, entry in beat.items():
        schedule = entry["schedule"]
        assert entry["options"]["expires"] <= 3600, name
        if isinstance(schedule, float):
            # One that waits behind other work is still done before its successors are gone, too.
            assert schedule < entry["options"]["expires"] <= 4 * schedule, name
