"""Requests in real worker processes that die, race, or find the world changed: nothing lost, nothing doubled."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import psutil
import pytest
import redis
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from certauthority.models import Authority, Certificate
from connect.models import User
from kmp import tasks
from kmp.models import Application, CertificateRequest, InventoryEntry, RequestState
from tests.connect.factories import move_clock
from tests.kmp.decisions import (
    actions_of,
    assert_lasts_by_the_clock,
    assert_signed_once,
    make_submitted,
    reason_of,
    state_of,
)
from tests.kmp.factories import make_kmp_csr, rules_for
from tests.kmp.wizard import company_of, make_two_officers
from tests.processes import celery_worker

Worker = subprocess.Popen[bytes]
PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def _site(transactional_db: None, authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """Data that other processes see: the CA, and the applications of every site."""


@pytest.fixture
def olga() -> User:
    return make_two_officers()[0]


def wait_until(is_so: Callable[[], bool], *, meanwhile: Callable[[], object] | None = None) -> None:
    """Wait for what workers do; ``meanwhile`` is done again and again, as beat does it."""
    last_moment = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        if meanwhile is not None:
            meanwhile()
        time.sleep(0.2)


def is_signed(request: CertificateRequest) -> bool:
    return state_of(request) == RequestState.SIGNED


def has_no_work(client: redis.Redis) -> bool:
    """Whether no message waits, and none is being worked on."""
    return client.llen("celery") == client.llen("signing") == client.hlen("unacked") == 0


@contextmanager
def patched_worker(tmp_path: Path, point: str, *, name: str = "patched") -> Iterator[tuple[Worker, Path]]:
    """A worker that is killed, or slow, at this point, and the file to which the point adds its lines."""
    trace = tmp_path / f"{point}.trace"
    module = ("tests.kmp.patched_worker", point, str(trace))
    with celery_worker(tmp_path / f"{name}.log", module=module) as process:
        yield process, trace


@contextmanager
def two_workers(tmp_path: Path, point: str) -> Iterator[Path]:
    """Two workers that wait for each other at this point, and the file to which both add their lines."""
    with patched_worker(tmp_path, point, name="first") as (_, trace), patched_worker(tmp_path, point, name="second"):
        yield trace


def both_decide(trace: Path, number: str = "") -> bool:
    """Whether two processes have claimed the request of this number, or any."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    return len({line.split()[1] for line in lines if line.startswith(number)}) == 2


def test_a_request_is_seen_in_review_and_signed_after_the_delay(celery_worker_process: Worker, olga: User) -> None:
    request = make_submitted(olga, now=timezone.now())
    wait_until(lambda: state_of(request) != RequestState.SUBMITTED)
    assert state_of(request) == RequestState.IN_REVIEW
    wait_until(lambda: is_signed(request))
    assert_signed_once(request)
    request.refresh_from_db()
    assert request.submitted_at is not None
    assert request.ended_at is not None
    assert (request.ended_at - request.submitted_at).total_seconds() >= settings.KMP_AUTOMATIC_REVIEW_SECONDS
    assert request.decided_by == "automatic review"


def test_a_worker_counts_months_by_the_companys_clock_and_waits_in_real_time(
    celery_worker_process: Worker, olga: User
) -> None:
    year = timedelta(days=365)
    move_clock(company_of(olga), year)
    since = timezone.now()
    request = make_submitted(olga, now=since)
    wait_until(lambda: is_signed(request))
    assert_signed_once(request)
    row = CertificateRequest.objects.select_related("entry__certificate").get(pk=request.pk)
    assert row.entry is not None
    assert row.ended_at is not None
    assert_lasts_by_the_clock(row.entry, ahead=year, since=since)
    assert timedelta(seconds=settings.KMP_AUTOMATIC_REVIEW_SECONDS) <= row.ended_at - since < timedelta(hours=1)


@pytest.mark.parametrize("point", ["claimed", "signed", "committed"])
def test_a_worker_killed_at_any_point_loses_nothing_and_doubles_nothing(point: str, olga: User, tmp_path: Path) -> None:
    request = make_submitted(olga)
    with patched_worker(tmp_path, point) as (worker, trace):
        wait_until(lambda: worker.poll() is not None)
    traced = trace.read_text().split()
    assert len(traced) == 1, "the worker reached the point, and was killed there"
    if point == "committed":
        assert_signed_once(request)
    else:
        assert state_of(request) == RequestState.IN_REVIEW
        assert not InventoryEntry.objects.exists()
        assert not Certificate.objects.filter(authority__name="kmp", inventory_entry__isnull=False).exists()
    with celery_worker(tmp_path / "next.log"):
        tasks.process_request.delay(str(request.pk))  # as the broker does with a message that nobody acknowledged
        wait_until(lambda: is_signed(request), meanwhile=tasks.sweep_requests.delay)
    certificate = assert_signed_once(request)
    assert point != "signed" or certificate.serial != traced[0], "what was signed before the crash never came to be"


def test_a_task_whose_process_is_killed_is_done_by_the_next_process(olga: User, tmp_path: Path) -> None:
    request = make_submitted(olga)
    with patched_worker(tmp_path, "child") as (worker, trace):
        wait_until(lambda: is_signed(request))
        assert worker.poll() is None, "the worker itself went on"
    certificate = assert_signed_once(request)
    assert trace.read_text().split() not in ([], [certificate.serial])


def test_a_worker_ended_with_all_its_processes_ends_its_task_first(olga: User, tmp_path: Path) -> None:
    request = make_submitted(olga)
    with patched_worker(tmp_path, "unhurried") as (worker, trace):
        wait_until(trace.exists)
        for process in [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]:
            process.terminate()
        assert worker.wait(PATIENCE_SECONDS) == 0
    assert_signed_once(request)
    assert "Traceback" not in (tmp_path / "patched.log").read_text()


def test_lost_messages_are_found_by_the_sweep(
    olga: User, tmp_path: Path, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = make_submitted(olga)
    assert redis_client.llen("celery") > 0
    redis_client.flushdb()
    with monkeypatch.context() as broken:
        broken.setattr(tasks.process_request, "delay", away)
        unsent = make_submitted(olga)
    assert state_of(unsent) == RequestState.SUBMITTED
    with celery_worker(tmp_path / "worker.log"):
        wait_until(lambda: has_no_work(redis_client))
        assert {state_of(flushed), state_of(unsent)} == {RequestState.SUBMITTED}, "no message tells of them"
        tasks.sweep_requests.delay()
        wait_until(lambda: is_signed(flushed) and is_signed(unsent))
    assert_signed_once(flushed)
    assert_signed_once(unsent)


def test_two_workers_and_the_sweep_sign_a_request_once(olga: User, tmp_path: Path, redis_client: redis.Redis) -> None:
    requests = []
    with two_workers(tmp_path, "together") as trace:
        for _ in range(2):
            request = make_submitted(olga)
            requests.append(request)
            tasks.sweep_requests.delay()
            send = partial(tasks.process_request.delay, str(request.pk))
            # One worker may have taken all messages that wait: new ones come until the other has one, too.
            wait_until(partial(both_decide, trace, request.number), meanwhile=send)
        wait_until(lambda: has_no_work(redis_client))
    for request in requests:
        assert_signed_once(request)
    serials = Certificate.objects.filter(inventory_entry__isnull=False).values_list("serial", flat=True)
    assert len(set(serials)) == len(requests) == InventoryEntry.objects.count()


def test_one_subject_in_two_requests_is_signed_once(olga: User, tmp_path: Path, redis_client: redis.Redis) -> None:
    rules = rules_for(company_of(olga))
    with two_workers(tmp_path, "slow") as trace:
        twins = [make_submitted(olga, csr=make_kmp_csr(rules, unique="twin")) for _ in range(2)]

        def send_again() -> None:
            for twin in twins:
                tasks.process_request.delay(str(twin.pk))

        wait_until(partial(both_decide, trace), meanwhile=send_again)
        wait_until(lambda: has_no_work(redis_client))
    signed, rejected = sorted(twins, key=state_of, reverse=True)
    assert_signed_once(signed)
    assert state_of(rejected) == RequestState.REJECTED
    assert "duplicate certificate" in reason_of(rejected)
    assert InventoryEntry.objects.count() == 1


def test_a_ca_that_is_away_keeps_requests_waiting(olga: User, tmp_path: Path, redis_client: redis.Redis) -> None:
    request = make_submitted(olga)
    said = tmp_path / "locked-out.log"
    with celery_worker(said, CA_KEY_PASSPHRASE="not the passphrase of the CA"):
        wait_until(lambda: has_no_work(redis_client))
        assert state_of(request) == RequestState.IN_REVIEW
        assert actions_of(request)[-1] == "in-review"
    assert f"{request.number} cannot be signed now: SigningUnavailable" in said.read_text()
    # The minute for which a request waits then is over.
    CertificateRequest.objects.filter(pk=request.pk).update(decide_at=timezone.now())
    with celery_worker(tmp_path / "back.log"):
        tasks.sweep_requests.delay()
        wait_until(lambda: is_signed(request))
    assert_signed_once(request)


def test_beat_sends_the_sweep_often() -> None:
    schedule = {str(entry["task"]): entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert schedule[tasks.sweep_requests.name] == 15.0


def away(*arguments: str) -> None:
    raise OperationalError("Redis is away")
