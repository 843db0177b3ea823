"""Responses made ahead, in Redis: one hash for each certificate, with a field for each way to name its issuer.

They are copies, and the rows are the truth. Whoever writes here holds the lock of the certificate's row; whoever
revokes takes the entry away under the same lock, before the commit. So no response that says good comes back once a
revocation is committed. What Redis may have kept although it did not answer is noted in the row:
``Certificate.ocsp_unsettled``.
"""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import islice

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.retry import Retry

from certauthority.background import Pause

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.5
# So many responses are looked at for how old the oldest is.
SAMPLE = 5_000
# While Redis is away nobody waits for it: everything is signed on the spot.
pause = Pause(seconds=5)
_HEADER = struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """A response with the times in it, in seconds since 1970."""

    der: bytes
    this_update: int
    next_update: int


def find(authority_id: int, serial: str, hash_name: str) -> ReadyMade | None:
    """The response for a certificate whose issuer is named by this hash. None also while Redis is away."""
    if pause.lasts:
        return None
    try:
        connection = _own_connection(settings.REDIS_URL)
        connection.send_command("HGET", _key(authority_id, serial), hash_name)  # type: ignore[no-untyped-call]  # theirs
        stored = connection.read_response()
    except redis.RedisError as error:
        _own.connection = None
        _went_away(error)
        return None
    except BaseException:
        _own.connection = None  # Or the next question would get this one's answer.
        raise
    if not isinstance(stored, bytes) or len(stored) <= _HEADER.size:
        return None
    this_update, next_update = _HEADER.unpack_from(stored)
    return ReadyMade(stored[_HEADER.size :], this_update, next_update)


def keep(authority_id: int, responses: Mapping[str, Mapping[str, ReadyMade]]) -> bool:
    """Store responses by serial number and hash, each until its next update. False: perhaps some, perhaps none.

    Call it while the rows of these certificates are locked.
    """
    if pause.lasts:
        return False
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=True) as pipeline:
            for serial, by_hash in responses.items():
                key = _key(authority_id, serial)
                fields: list[str | bytes] = []
                for name, made in by_hash.items():
                    fields += [name, _HEADER.pack(made.this_update, made.next_update) + made.der]
                pipeline.delete(key)
                pipeline.hset(key, items=fields)
                pipeline.expireat(key, min(made.next_update for made in by_hash.values()))
            pipeline.execute()
    except redis.RedisError as error:
        _went_away(error)
        return False
    return True


def withdraw(authority_id: int, serials: Iterable[str]) -> bool:
    """Take responses away, before the change that makes them wrong is committed. False: they may still be there."""
    if pause.lasts:
        return False
    try:
        _client(settings.REDIS_URL).delete(*(_key(authority_id, serial) for serial in serials))
    except redis.RedisError as error:
        _went_away(error)
        return False
    return True


def ending(authority_id: int, serials: Sequence[str], *, within: timedelta) -> list[str] | None:
    """Which of these certificates have no response, or one with less time left. None while Redis is away."""
    if pause.lasts:
        return None
    try:
        with _client(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
            for serial in serials:
                pipeline.pttl(_key(authority_id, serial))
            left = pipeline.execute()
    except redis.RedisError as error:
        _went_away(error)
        return None
    limit = within / timedelta(milliseconds=1)
    return [serial for serial, milliseconds in zip(serials, left, strict=True) if milliseconds < limit]


def times_left() -> list[float]:
    """For how many seconds the responses made ahead can still be given out: for as many of them as ``SAMPLE``.

    The hash that Redis walks through is in no order of ours, so that a part stands for the whole.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    client = _client(settings.REDIS_URL)
    keys = list(islice(client.scan_iter("ocsp:*", count=1_000), SAMPLE))
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.pttl(key)
        return [milliseconds / 1_000 for milliseconds in pipeline.execute() if milliseconds >= 0]


class _Own(threading.local):
    """A thread's connection for ``find``, and the address that it leads to."""

    connection: AbstractConnection | None = None
    url = ""


_own = _Own()


def _own_connection(url: str) -> AbstractConnection:
    """The client with its pool takes four times as long as Redis does. The connection ends with its thread."""
    if _own.connection is None or _own.url != url:
        pool = _client(url).connection_pool
        _own.connection, _own.url = pool.connection_class(**pool.connection_kwargs), url
    return _own.connection


def _key(authority_id: int, serial: str) -> str:
    return f"ocsp:{authority_id}:{serial}"


def _went_away(error: redis.RedisError) -> None:
    pause.begin()
    logger.warning("Redis does not answer (%s): OCSP responses are signed on the spot.", type(error).__name__)


@cache
def _client(url: str) -> redis.Redis:
    """One for each process; the library opens new connections after a fork."""
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
