"""Counts of what happens, summed over every process of the site, for ``/metrics``.

What the database knows anyway is counted there. Here is the rest: requests and how long they took, rules that
refused, calls at the endpoint. Each process adds up in memory, and a thread adds its sums to one hash in Redis every
two seconds, so that nothing waits for Redis, any process can tell the whole, and the sums outlive restarts. While Redis
is away they are kept; a process that is killed loses two seconds of them at most.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache
from typing import Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

KEY: Final = "rehearsal:counters"
FLUSH_SECONDS: Final = 2.0
TIMEOUT_SECONDS: Final = 2.0
# Upper ends of the classes of a duration, in seconds.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Labels are ours, never a visitor's; should one ever be, memory and Redis stay small all the same.
MOST_SUMS: Final = 5_000

Labels = tuple[tuple[str, str], ...]
_Key = tuple[str, Labels]


class Counters:
    """The sums of one process. Every method may be called by any thread."""

    def __init__(self) -> None:
        self._start_over()

    def _start_over(self) -> None:
        self._sums: dict[_Key, float] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_away = False

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to one sum."""
        self._add([((name, tuple(labels.items())), amount)])

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Count one duration: its class, and the sum of all."""
        given = tuple(labels.items())
        place = bisect_left(BUCKETS, seconds)
        end = str(BUCKETS[place]) if place < len(BUCKETS) else "+Inf"
        self._add([((f"{name}_bucket", (*given, ("le", end))), 1), ((f"{name}_sum", given), seconds)])

    def flush(self) -> bool:
        """Add the sums to those in Redis. Where that fails they are kept for the next time, and False is returned."""
        with self._flushing:
            return self._flush()

    def _flush(self) -> bool:
        with self._lock:
            sums, self._sums = self._sums, {}
        if not sums:
            return True
        try:
            with _client(settings.REDIS_URL).pipeline(transaction=True) as pipeline:
                for (name, labels), amount in sums.items():
                    pipeline.hincrbyfloat(KEY, json.dumps([name, labels]), amount)
                pipeline.execute()
        except redis.RedisError as error:
            if not self._is_away:
                logger.info("Redis does not answer (%s): counts are kept until it does.", type(error).__name__)
            self._is_away = True
            self._put_back(sums)
            return False
        self._is_away = False
        return True

    def _add(self, amounts: list[tuple[_Key, float]]) -> None:
        with self._lock:
            for key, amount in amounts:
                if key in self._sums or len(self._sums) < MOST_SUMS:
                    self._sums[key] = self._sums.get(key, 0) + amount
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="counters", daemon=True)
                self._thread.start()

    def _put_back(self, sums: dict[_Key, float]) -> None:
        with self._lock:
            for key, amount in sums.items():
                self._sums[key] = self._sums.get(key, 0) + amount

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(FLUSH_SECONDS):
            self.flush()

    def after_fork(self) -> None:
        """A child begins with nothing: what was added up before is its parent's to write."""
        self._start_over()


def read() -> dict[str, dict[Labels, float]]:
    """The sums of all processes: by name, and then by labels.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    stored: Mapping[bytes, bytes] = _client(settings.REDIS_URL).hgetall(KEY)  # type: ignore[assignment]  # not awaited
    found: dict[str, dict[Labels, float]] = {}
    for key, amount in stored.items():
        name, labels = json.loads(key)
        found.setdefault(name, {})[tuple((label, value) for label, value in labels)] = float(amount)
    return found


@cache
def _client(url: str) -> redis.Redis:
    """One for each process; the library opens new connections after a fork."""
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 0)
    )


_counters = Counters()

add = _counters.add
observe = _counters.observe
flush = _counters.flush

os.register_at_fork(after_in_child=_counters.after_fork)
atexit.register(flush)
