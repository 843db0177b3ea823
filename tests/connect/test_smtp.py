"""Mails to a real mail server that is slow, refuses, drops the connection, or is down; and workers that die.

Every mail goes out, and once; where nobody can know whether it went, it may go twice, with the same Message-ID.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from django.utils import timezone
from pytest_django import Settings

from connect import delivery, tasks
from connect.delivery import Outcome
from connect.delivery_round import RoundEnd, deliver_due
from connect.models import Channel, Notice, NoticeState
from tests.connect.mail_server import Behaviour, bound_socket, mail_server
from tests.processes import celery_worker

ADDRESS = "olga@acme.example"


def make_mails(count: int = 1, *, now: datetime | None = None) -> list[Notice]:
    """Due mails."""
    now = now or timezone.now()
    return [
        Notice.objects.create(
            event=f"test:{uuid4()}",
            kind="test",
            channel=Channel.MAIL,
            address=ADDRESS,
            subject=f"Notice {number}: zertifikat läuft ab",
            text="Hello.\n.\nA line with one dot stands above.",
            html="<p>Hello</p>",
            created_at=now,
            due_at=now,
        )
        for number in range(count)
    ]


def message_id(notice: Notice) -> str:
    return f"<{notice.pk}@localhost>"


@pytest.fixture
def place(settings: Settings) -> Iterator[socket.socket]:
    """Where the site looks for its mail server."""
    with bound_socket() as place:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = place.getsockname()
        settings.EMAIL_TIMEOUT = 10
        yield place


@pytest.fixture
def server(place: socket.socket) -> Iterator[Behaviour]:
    """A mail server that takes everything, until a test changes that."""
    with mail_server(place, Behaviour()) as behaviour:
        yield behaviour


@pytest.mark.django_db
def test_a_mail_arrives_as_it_was_written(server: Behaviour) -> None:
    (row,) = make_mails()
    assert delivery.deliver(row.pk, now=timezone.now()) is Outcome.SENT
    (message,) = server.taken
    assert server.recipients == [ADDRESS]
    assert (message["Message-ID"], message["Auto-Submitted"]) == (message_id(row), "auto-generated")
    assert (message["Subject"], message["List-Unsubscribe"]) == (row.subject, None)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n").strip() == row.text
    assert html.get_content().strip() == row.html


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reply", "state", "error"),
    [
        ("451 4.7.1 Greylisted, try again", NoticeState.DUE, "Greylisted, try again"),
        ("550 5.1.1 No such user", NoticeState.FAILED, "No such user"),
    ],
)
def test_a_refused_recipient(server: Behaviour, reply: str, state: NoticeState, error: str) -> None:
    (row,), now = make_mails(), timezone.now()
    server.rcpt_reply = reply
    assert delivery.deliver(row.pk, now=now) is Outcome.NOT_SENT
    row.refresh_from_db()
    assert (row.state, row.attempts, row.sent_at) == (state, 1, None)
    assert error in row.error
    server.rcpt_reply = "250 OK"
    if state == NoticeState.FAILED:
        assert delivery.deliver(row.pk, now=now + timedelta(days=1)) is Outcome.NOT_DUE
        return
    assert row.due_at == now + timedelta(minutes=1)
    assert delivery.deliver(row.pk, now=row.due_at) is Outcome.SENT
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == (NoticeState.SENT, 2, "")
    assert server.ids == {message_id(row): 1}


@pytest.mark.django_db
@pytest.mark.parametrize("reply", ["452 4.3.1 Out of storage", "554 5.7.1 Looks like spam"])
def test_a_refused_message_is_tried_again(server: Behaviour, reply: str) -> None:
    (row,), now = make_mails(), timezone.now()
    server.data_reply = reply
    assert delivery.deliver(row.pk, now=now) is Outcome.NOT_SENT
    row.refresh_from_db()
    assert row.state == NoticeState.DUE
    assert reply.partition(" ")[2] in row.error
    server.data_reply = "250 OK"
    assert delivery.deliver(row.pk, now=row.due_at) is Outcome.SENT
    assert server.ids == {message_id(row): 1}


@pytest.mark.django_db
def test_a_connection_that_drops_after_the_message_repeats_it_with_the_same_id(server: Behaviour) -> None:
    (row,), now = make_mails(), timezone.now()
    server.drops_after_data = True
    assert delivery.deliver(row.pk, now=now) is Outcome.SERVER_AWAY
    row.refresh_from_db()
    assert (row.state, row.attempts) == (NoticeState.DUE, 1)
    assert row.error.startswith("SMTPServerDisconnected")
    server.drops_after_data = False
    assert delivery.deliver(row.pk, now=row.due_at) is Outcome.SENT
    assert server.ids == {message_id(row): 2}


@pytest.mark.django_db
def test_a_server_that_answers_too_late_is_away_and_the_repeat_has_the_same_id(
    server: Behaviour, settings: Settings
) -> None:
    (row,), now = make_mails(), timezone.now()
    settings.EMAIL_TIMEOUT, server.seconds = 2, 6
    assert delivery.deliver(row.pk, now=now) is Outcome.SERVER_AWAY
    row.refresh_from_db()
    assert row.state == NoticeState.DUE
    assert "timed out" in row.error
    settings.EMAIL_TIMEOUT, server.seconds = 10, 0
    assert delivery.deliver(row.pk, now=row.due_at) is Outcome.SENT
    assert server.ids == {message_id(row): 2}


@pytest.mark.django_db
def test_a_slow_server_gets_each_mail_once(server: Behaviour) -> None:
    rows, server.seconds = make_mails(3), 0.2
    assert deliver_due(now=timezone.now()) is RoundEnd.NOTHING_DUE
    assert server.ids == dict.fromkeys(map(message_id, rows), 1)
    assert not Notice.objects.exclude(state=NoticeState.SENT).exists()


@pytest.mark.django_db
def test_a_server_that_is_down_for_an_hour_loses_nothing_and_gets_each_mail_once(place: socket.socket) -> None:
    start = timezone.now()
    rows = make_mails(5, now=start)
    for minute in range(60):
        assert deliver_due(now=start + timedelta(minutes=minute)) in (RoundEnd.SERVER_AWAY, RoundEnd.NOTHING_DUE)
    waiting = Notice.objects.filter(state=NoticeState.DUE)
    assert waiting.count() == len(rows)
    assert all(1 <= row.attempts < 60 and row.error.startswith("ConnectionRefusedError") for row in waiting)
    with mail_server(place, Behaviour()) as server:
        for minute in range(60, 121):
            deliver_due(now=start + timedelta(minutes=minute))
    assert server.ids == dict.fromkeys(map(message_id, rows), 1)
    assert Notice.objects.filter(state=NoticeState.SENT, error="").count() == len(rows)


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < last_moment, "the workers did not do their work"
        time.sleep(0.05)


def all_sent() -> bool:
    return not Notice.objects.exclude(state=NoticeState.SENT).exists()


def address_of(place: socket.socket) -> str:
    host, port = place.getsockname()
    return f"smtp://{host}:{port}"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_mail_once(tmp_path: Path) -> None:
    with (
        bound_socket() as place,
        mail_server(place, Behaviour(seconds=0.1)) as server,
        celery_worker(tmp_path / "first.log", EMAIL_URL=address_of(place)),
        celery_worker(tmp_path / "second.log", EMAIL_URL=address_of(place)),
    ):
        rows = make_mails(12)
        for _ in range(4):
            tasks.deliver_due_notices.delay()
        wait_until(all_sent)
    assert server.ids == dict.fromkeys(map(message_id, rows), 1)


def kill_whole(worker: subprocess.Popen[bytes]) -> None:
    """The worker and its processes, as when the power fails."""
    children = psutil.Process(worker.pid).children(recursive=True)
    os.kill(worker.pid, signal.SIGKILL)
    for child in children:
        child.kill()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_sending_and_storing_repeats_one_mail_at_most(tmp_path: Path) -> None:
    with bound_socket() as place, mail_server(place, Behaviour()) as server:
        with celery_worker(tmp_path / "killed.log", EMAIL_URL=address_of(place)) as worker:
            rows = make_mails(3)
            killed = threading.Event()

            def die_at_the_second() -> None:
                """The server has the whole message, and its answer reaches nobody."""
                if len(server.taken) == 2 and not killed.is_set():
                    kill_whole(worker)
                    killed.set()

            server.on_data = die_at_the_second
            tasks.deliver_due_notices.delay()
            wait_until(killed.is_set)
            wait_until(lambda: worker.poll() is not None)
        assert [Notice.objects.filter(state=state).count() for state in ("sent", "due")] == [1, 2]
        with celery_worker(tmp_path / "next.log", EMAIL_URL=address_of(place)):
            tasks.deliver_due_notices.delay()
            wait_until(all_sent)
    counts = [server.ids[message_id(row)] for row in rows]
    assert sorted(counts) == [1, 1, 2], "the one that was on its way, with the same Message-ID"
    assert len(server.ids) == len(rows)
