"""When beat, the workers and the endpoint were last seen at work. Each tells Redis; who asks for ``/readyz`` reads it.

A container's own health check looks at a file (``HEARTBEAT_FILE``), which this process alone touches.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

BEAT: Final = "beat"
WORKER: Final = "worker"
# The endpoint behind a front. `make run` has one of its own, which ends with the rest.
GATEWAY: Final = "gateway"
KEY: Final = "rehearsal:heartbeats"
_WATCHED_SINCE: Final = "watched since"
TIMEOUT_SECONDS: Final = 2
# A part says no more often that it works.
PAUSE_SECONDS: Final = 10.0
# Beat sends something every fifteen seconds, and a worker tells of itself every two.
SILENCE_SECONDS: Final = 120.0
_PROBLEMS: Final = {
    BEAT: "Nothing is sent by beat: notices, CRLs and OCSP responses come late. Start it: celery --app config beat",
    WORKER: "No worker is at work: notices are not sent, requests not processed. Start one: celery --app config worker",
    GATEWAY: "The mTLS endpoint is not at work: no call is answered. Start it: python -m config.run.process gateway",
}

_told_at: dict[str, float] = {}


def beat(part: str) -> None:
    """Say that a part is at work. Where Redis is away nothing is said, and nobody is kept from the work."""
    if time.monotonic() - _told_at.get(part, -PAUSE_SECONDS) < PAUSE_SECONDS:
        return
    _told_at[part] = time.monotonic()
    _touch()
    try:
        with _client() as client:
            client.hset(KEY, part, str(time.time()))
    except redis.RedisError as error:
        log.info("Redis does not answer (%s), so that nobody sees that %s works.", type(error).__name__, part)


def keep_beating(part: str) -> None:
    """Say that a part is at work for as long as its process lives, in a thread that ends with it."""
    threading.Thread(target=_beat_on, args=(part,), name="heartbeat", daemon=True).start()


def _beat_on(part: str) -> None:
    while True:
        beat(part)
        time.sleep(PAUSE_SECONDS)


def _touch() -> None:
    from config import env  # noqa: PLC0415  it reads the environment, which must not happen before it is complete

    if env.HEARTBEAT_FILE:
        try:
            Path(env.HEARTBEAT_FILE).touch()
        except OSError as error:
            log.warning("HEARTBEAT_FILE %s cannot be written: %s.", env.HEARTBEAT_FILE, error.strerror)


def read() -> dict[str, float]:
    """When each part was last seen, in seconds since 1970; none that never was.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with _client() as client:
        stored: dict[bytes, bytes] = client.hgetall(KEY)
    return {part.decode(): float(at) for part, at in stored.items() if part.decode() != _WATCHED_SINCE}


def problems(*, now: float) -> dict[str, str]:
    """A sentence for each part that has been silent for too long; ``now`` is in seconds since 1970.

    A part that was never seen is given the same time from when somebody first asks: the site may just have started.
    The endpoint counts once it was seen: not every site has one behind a front.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with _client() as client:
        client.hsetnx(KEY, _WATCHED_SINCE, str(now))
        since = float(client.hget(KEY, _WATCHED_SINCE) or now)
    seen = read()
    unseen = {BEAT: since, WORKER: since, GATEWAY: now}
    return {part: said for part, said in _PROBLEMS.items() if now - seen.get(part, unseen[part]) > SILENCE_SECONDS}


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
