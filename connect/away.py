"""Which service that a page needs does not answer, told from the error that its absence raised."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from enum import Enum, auto

import psycopg
import redis
from django.db import InterfaceError, OperationalError, connection

# PostgreSQL's codes for a connection that is gone or does not come about (Appendix A of its documentation); the rest of
# class 57 and 53 is a server that answers: a statement that took too long, a full disk.
_GONE_CLASS = "08"
_GONE = frozenset(
    {
        "57P01",  # ended by its administrator
        "57P02",  # ended by a crash of another process
        "57P03",  # starting up, or shutting down
        "57P04",  # its database was dropped
        "57P05",  # idle for too long
        "53300",  # as many connections as it takes
    }
)


class Service(Enum):
    """What a page may miss."""

    DATABASE = auto()
    REDIS = auto()

    @property
    def known_as(self) -> str:
        """The name that whoever runs the site knows it by."""
        return connection.display_name if self is Service.DATABASE else "Redis"


def missing_service(error: BaseException | None) -> Service | None:
    """The service whose connection is gone; None for every other error.

    A database that answers that it will not do something is not away: a time-out of a statement, a deadlock, a lock
    that somebody else holds or a full disk say something of the request or of the server, and stay errors.
    """
    for one in _with_causes(error):
        if isinstance(one, (OperationalError, InterfaceError)) and _is_gone(one.__cause__):
            return Service.DATABASE
        if isinstance(one, (redis.ConnectionError, redis.TimeoutError)):
            return Service.REDIS
    return None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


def _is_gone(cause: BaseException | None) -> bool:
    """``cause`` is what the database's own library raised; Django's error comes from it."""
    if isinstance(cause, sqlite3.OperationalError):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CANTOPEN
    if not isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)):
        return False
    # Without a code no server said anything: it could not be reached, or the connection broke.
    code = cause.sqlstate
    return code is None or code in _GONE or code.startswith(_GONE_CLASS)
