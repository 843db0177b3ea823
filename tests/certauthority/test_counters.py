"""Sums that several processes and threads add to, while Redis comes and goes."""

from __future__ import annotations

import os
import threading

import pytest
import redis
from pytest_django import Settings

from certauthority import counters
from certauthority.counters import KEY, MOST_SUMS, Counters


@pytest.fixture(autouse=True)
def _no_counts(redis_client: redis.Redis) -> None:
    """What the tests before have counted is gone."""
    counters.flush()
    redis_client.delete(KEY)


@pytest.fixture
def sums() -> Counters:
    """Those of a process of its own, which write only when they are told to."""
    own = Counters()
    own._thread = threading.current_thread()
    return own


def test_what_is_added_is_read_once_it_is_written(sums: Counters) -> None:
    sums.add("answers", status="200")
    sums.add("answers", 2, status="200")
    assert counters.read() == {}
    assert sums.flush()
    assert counters.read() == {"answers": {(("status", "200"),): 3}}
    assert sums.flush()
    assert counters.read() == {"answers": {(("status", "200"),): 3}}


def test_nothing_is_lost_or_doubled_while_redis_is_away(
    sums: Counters, settings: Settings, redis_client: redis.Redis
) -> None:
    there = settings.REDIS_URL
    sums.add("answers", status="200")
    settings.REDIS_URL = "unix:///no/such/socket?db=0"
    assert not sums.flush()
    sums.add("answers", status="200")
    assert not sums.flush()
    settings.REDIS_URL = there
    assert sums.flush()
    assert counters.read() == {"answers": {(("status", "200"),): 2}}
    assert redis_client.hlen(KEY) == 1


def test_threads_count_every_one(sums: Counters) -> None:
    def work() -> None:
        for _ in range(500):
            sums.add("answers", status="200")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sums.flush()
    sums.flush()
    assert counters.read() == {"answers": {(("status", "200"),): 2000}}


def test_memory_stays_small_whatever_the_labels(sums: Counters) -> None:
    for number in range(MOST_SUMS + 100):
        sums.add("answers", status=str(number))
    assert sums.flush()
    assert len(counters.read()["answers"]) == MOST_SUMS


def test_a_child_does_not_write_what_its_parent_counted(sums: Counters) -> None:
    sums.add("answers", status="200")
    sums.after_fork()
    assert sums.flush()
    assert counters.read() == {}


def test_a_thread_writes_without_being_told() -> None:
    own = Counters()
    own.add("answers", status="200", process=str(os.getpid()))
    last = threading.Event()
    for _ in range(200):
        if "answers" in counters.read():
            break
        last.wait(0.1)
    assert "answers" in counters.read()
