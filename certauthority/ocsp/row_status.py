"""What the rows say of certificates: the one query of a response that is signed on the spot.

Django's cursor takes longer than PostgreSQL does for one row by index, and psycopg's half of that. So a single
certificate is asked for by a prepared statement through libpq, once for each connection of a thread.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import ExecStatus

from certauthority.x509.ocsp_response import Revocation

STATUSES = """
    SELECT serial, revoked_at, revocation_reason FROM certauthority_certificate WHERE authority_id = %s AND serial IN
"""
ONE_STATUS = b"""
    SELECT EXTRACT(EPOCH FROM revoked_at), revocation_reason FROM certauthority_certificate
    WHERE authority_id = $1 AND serial = $2
"""


class _Prepared(threading.local):
    """The connection of this thread that knows the statement, and the statement's name there."""

    connection: Any = None
    name = b""


_prepared = _Prepared()
_numbers = itertools.count(1)


def statuses(authority_id: int, serials: Sequence[str]) -> dict[str, Revocation | bool]:
    """By serial number: when and why it was revoked, or True for a good certificate; what is not issued is left out.

    Raises DatabaseError.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if len(serials) == 1 and _has_quick_way(database):
        found = _one_status(database, authority_id, serials[0])
        if found is not None:
            return found
    with database.cursor() as cursor:
        cursor.execute(f"{STATUSES} ({', '.join(['%s'] * len(serials))})", [authority_id, *serials])
        return {serial: _status(revoked_at, reason) for serial, revoked_at, reason in cursor.fetchall()}


def _has_quick_way(database: Any) -> bool:
    """Not within a transaction, which an error would spoil, nor where somebody counts or watches Django's queries."""
    is_watched = database.queries_logged or database.execute_wrappers
    return database.vendor == "postgresql" and not database.in_atomic_block and not is_watched


def _one_status(database: Any, authority_id: int, serial: str) -> dict[str, Revocation | bool] | None:
    """None where it did not work. psycopg drops all prepared statements after a rollback, for one."""
    database.ensure_connection()
    with database.wrap_database_errors:
        libpq = database.connection.pgconn
        if _prepared.connection is not libpq:
            _prepared.name = b"certauthority_ocsp_status_%d" % next(_numbers)
            if libpq.prepare(_prepared.name, ONE_STATUS).status != ExecStatus.COMMAND_OK:
                return None
            _prepared.connection = libpq
        result = libpq.exec_prepared(_prepared.name, [b"%d" % authority_id, serial.encode()])
    if result.status != ExecStatus.TUPLES_OK:
        _prepared.connection = None
        return None
    if not result.ntuples:
        return {}
    revoked_at = result.get_value(0, 0)
    if revoked_at is None:
        return {serial: True}
    return {serial: Revocation(datetime.fromtimestamp(float(revoked_at), UTC), result.get_value(0, 1).decode())}


def _status(revoked_at: datetime | None, reason: str) -> Revocation | bool:
    if revoked_at is None:
        return True
    # SQLite keeps times in UTC without saying so.
    return Revocation(revoked_at if revoked_at.tzinfo else revoked_at.replace(tzinfo=UTC), reason)
