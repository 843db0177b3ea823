"""What waits for the workers, as Celery's messages lie in Redis: one list for each queue, the oldest at its end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import redis

from config import queues
from config.celery import app

# Each message says in this header when it was sent, in seconds since 1970.
SENT_AT: Final = "sent_at"
TIMEOUT_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class WaitingQueue:
    """How many messages no worker has taken, and how long the oldest of them has waited."""

    name: str
    messages: int
    oldest_seconds: float


def read(*, now: datetime) -> list[WaitingQueue]:
    """Every queue, the empty ones too.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with _client() as client:
        return [_read(client, name, now) for name in (queues.ANYBODY, queues.SIGNING)]


def unacknowledged() -> int:
    """How many messages workers have taken and not finished, or not yet begun.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with _client() as client:
        return int(client.hlen("unacked"))


def _read(client: redis.Redis, name: str, now: datetime) -> WaitingQueue:
    oldest: Any = client.lindex(name, -1)
    sent_at = json.loads(oldest).get("headers", {}).get(SENT_AT) if oldest else None
    waited = max(0.0, now.timestamp() - float(sent_at)) if sent_at else 0.0
    return WaitingQueue(name, int(client.llen(name)), waited)


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        str(app.conf.broker_url).replace("redis+socket://", "unix://").replace("?virtual_host=", "?db="),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
