"""Ask the database with SQL, over one cursor that each thread keeps.

What happens once per certificate asks a dozen statements, and a cursor made anew for each takes longer than most of
them do: Django wraps it, and psycopg looks up anew how every type is sent (``make bench``). It stands in the lowest
app, so that all can use it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


class _Kept(threading.local):
    """This thread's cursor, the connection it is of, and whether it logs its queries."""

    cursor: Any = None
    connection: Any = None
    logs: bool = False


_kept = _Kept()


def ask(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement that returns rows, inside the transaction that is open if one is. Returns all of its rows.

    They are read at once: no result stays open on the cursor, whoever asks next.

    Raises:
        django.db.Error: its subclasses, as a cursor of Django's does.
    """
    database, cursor = _current()
    try:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    except Exception:  # To be in a `with` each time takes longer than to be in a `try`.
        with database.wrap_database_errors:
            raise
    return rows


def tell(sql: str, parameters: Sequence[Any]) -> None:
    """Run a statement that returns nothing. Raises like ``ask``."""
    database, cursor = _current()
    try:
        cursor.execute(sql, parameters)
    except Exception:
        with database.wrap_database_errors:
            raise


@contextmanager
def meanwhile() -> Iterator[None]:
    """Let PostgreSQL carry out what is told within while this process goes on: the end of the block waits for it.

    Whatever is told has to stand by itself: its result is not known within.

    Raises:
        django.db.Error: at the end, as the statement itself would have raised it.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        yield
        return
    database.ensure_connection()
    with database.wrap_database_errors, database.connection.pipeline():
        yield


def _current() -> tuple[Any, Any]:
    """The connection, and a cursor of it: the driver's own, unless somebody logs queries or wraps their execution."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    # As Django does for each cursor: a connection that has ended since the last request is replaced. Each is asked for
    # only where it would do anything: the asking is most of what a statement takes beside the driver.
    if not database.health_check_done:
        database.close_if_health_check_failed()
    if database.connection is None:
        database.ensure_connection()
    logs = database.queries_logged
    if _kept.connection is not database.connection or _kept.logs != logs:
        _kept.cursor = database.cursor()
        _kept.connection, _kept.logs = database.connection, logs
    if logs or database.execute_wrappers:
        return database, _kept.cursor
    # A step more that Django's cursor takes; what it does beside them is to find out that nobody wraps anything.
    if database.needs_rollback:
        database.validate_no_broken_transaction()
    return database, _kept.cursor.cursor
