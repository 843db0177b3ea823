"""The scan in real workers: mails arrive, workers die, two of them scan at once, and tasks end in time."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from connect import delivery, delivery_round, tasks
from connect.delivery_round import RoundEnd, deliver_due
from connect.expiry import scan
from connect.models import DemoMail, Notice, NoticeState
from portal.models import Credential
from tests.connect.expiring import make_due_credentials, states_of
from tests.connect.test_delivery import make_mail
from tests.processes import celery_worker

Worker = subprocess.Popen[bytes]
PATIENCE_SECONDS = 60
DUE, SENT = NoticeState.DUE, NoticeState.SENT


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.1)


def is_idle(client: redis.Redis) -> bool:
    """Whether no message waits, and none is being worked on."""
    return client.llen("celery") == 0 and client.hlen("unacked") == 0


def assert_each_sent_once(made: list[Credential]) -> None:
    """One mail of each, stored and delivered once."""
    assert all(states_of(row) == {30: SENT} for row in made)
    mails = Counter(DemoMail.objects.values_list("message_id", flat=True))
    assert len(mails) == len(made)
    assert set(mails.values()) == {1}


def test_the_beat_sends_the_scan_every_ten_minutes() -> None:
    entries = [entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == tasks.scan_expiries.name]
    assert [entry["schedule"] for entry in entries] == [600.0]


def test_a_worker_scans_and_delivers(celery_worker_process: Worker, redis_client: redis.Redis) -> None:
    made = make_due_credentials(3)
    tasks.scan_expiries.delay()
    wait_until(lambda: DemoMail.objects.count() == 3)
    wait_until(lambda: is_idle(redis_client))
    assert_each_sent_once(made)
    assert {mail.address for mail in DemoMail.objects.all()} == {
        membership.user.email for membership in made[0].project.memberships.all()
    }


def test_a_worker_scans_one_company(celery_worker_process: Worker, redis_client: redis.Redis) -> None:
    (mine,), (other,) = make_due_credentials(1), make_due_credentials(1)
    tasks.scan_company_expiries.delay(str(uuid4()))
    tasks.scan_company_expiries.delay(str(mine.project.company_id))
    wait_until(lambda: states_of(mine) == {30: SENT})
    wait_until(lambda: is_idle(redis_client))
    assert states_of(other) == {}


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("point", ["stored", "committed"])
def test_a_worker_killed_in_the_midst_loses_nothing_and_doubles_nothing(
    point: str, tmp_path: Path, redis_client: redis.Redis
) -> None:
    made, trace = make_due_credentials(7), tmp_path / "trace"
    module = ("tests.connect.patched_scan_worker", point, str(trace))
    tasks.scan_expiries.delay()
    with celery_worker(tmp_path / "killed.log", module=module) as worker:
        wait_until(lambda: worker.poll() is not None)
    assert trace.exists(), "it was killed at the point"
    assert Notice.objects.filter(channel="mail").count() == 3, "the page that was committed, and nothing else"
    with celery_worker(tmp_path / "next.log"):
        tasks.scan_expiries.delay()
        tasks.deliver_due_notices.delay()  # as beat does
        wait_until(lambda: DemoMail.objects.count() == 7)
    assert_each_sent_once(made)


@pytest.mark.postgresql
@pytest.mark.usefixtures("transactional_db")
def test_two_beats_and_two_workers_tell_of_each_once(tmp_path: Path, redis_client: redis.Redis) -> None:
    made, trace = make_due_credentials(14), tmp_path / "trace"
    module = ("tests.connect.patched_scan_worker", "slow", str(trace))
    with (
        celery_worker(tmp_path / "first.log", module=module),
        celery_worker(tmp_path / "second.log", module=module),
    ):
        for _ in range(4):
            tasks.scan_expiries.delay()
        wait_until(lambda: DemoMail.objects.count() == 14)
        wait_until(lambda: is_idle(redis_client))
    assert sum(map(int, trace.read_text().split())) == 14, "no row was claimed twice"
    assert_each_sent_once(made)


@pytest.mark.django_db(transaction=True)
def test_a_page_is_one_message(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PAGE", 3)
    make_due_credentials(7)
    scan.scan(now=timezone.now())
    assert redis_client.llen("celery") == 3
    scan.scan(now=timezone.now())
    assert redis_client.llen("celery") == 3, "nothing was found, so nobody is woken"


@pytest.mark.django_db(transaction=True)
def test_a_scan_that_takes_long_is_continued_by_another_task(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "PAGE", 3)
    monkeypatch.setattr(tasks, "_SCAN_SECONDS", 0.0)
    made = make_due_credentials(7)
    tasks.scan_expiries()
    assert Notice.objects.filter(channel="mail").count() == 3
    assert redis_client.llen("celery") == 2, "deliver the page, and go on with the scan"
    monkeypatch.undo()
    tasks.scan_expiries()
    assert all(states_of(row) == {30: DUE} for row in made)


def sent() -> int:
    """How many mails have left."""
    return Notice.objects.filter(state=SENT).count()


@pytest.mark.django_db
def test_delivery_goes_on_until_nothing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_round, "_PAGE", 2)
    for _ in range(5):
        make_mail()
    assert deliver_due(now=timezone.now()) is RoundEnd.NOTHING_DUE
    assert sent() == 5


@pytest.mark.django_db
def test_delivery_that_takes_long_is_continued_by_another_task(redis_client: redis.Redis) -> None:
    for _ in range(3):
        make_mail()
    assert deliver_due(now=timezone.now(), seconds=0) is RoundEnd.TIME_OVER
    assert sent() == 1
    assert redis_client.llen("celery") == 0


@pytest.mark.django_db
def test_the_task_sends_its_successor(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = iter([RoundEnd.TIME_OVER, RoundEnd.NOTHING_DUE, RoundEnd.SERVER_AWAY])
    monkeypatch.setattr(tasks, "deliver_due", lambda *, now: next(ends))
    for expected in (1, 1, 1):
        tasks.deliver_due_notices()
        assert redis_client.llen("celery") == expected


@pytest.mark.django_db
def test_what_others_are_sending_does_not_keep_a_round_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    make_mail()
    monkeypatch.setattr(delivery, "deliver", lambda key, *, now: delivery.Outcome.NOT_DUE)
    assert deliver_due(now=timezone.now()) is RoundEnd.NOTHING_DUE


@pytest.mark.django_db
def test_a_mail_server_that_is_away_is_left_alone_by_what_the_scan_sends() -> None:
    make_mail()
    delivery.server_pause.begin()
    tasks.deliver_found_notices()
    assert sent() == 0
    delivery.server_pause.end()
    tasks.deliver_found_notices()
    assert sent() == 1
