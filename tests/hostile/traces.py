"""Everything that the site has kept: every row of every table, and every value in Redis."""

from __future__ import annotations

import hashlib
from typing import Any

import redis
from django.apps import apps
from django.db import connection

# What a visit writes of itself.
OF_VISITS = {"django_session"}
# A column of the audit log: somebody was refused, which is recorded whatever the method was.
OF_REFUSALS = (b"|access.denied|", b"|access.denied-often|")


def database_dump() -> dict[str, bytes]:
    """The rows of every table, models or none, as bytes in which any stored text or binary can be found."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows = sorted(b"|".join(map(_octets, row)) for row in cursor.fetchall())
            found[table] = b"\n".join(rows)
    assert {model._meta.db_table for model in apps.get_models()} <= set(found), "every model's table was read"
    return found


def fingerprint_of_database() -> dict[str, str]:
    """One digest for each table, to see which has changed, but for what visits and refusals leave of themselves."""
    return {
        table: hashlib.sha256(b"\n".join(_of_changes(rows))).hexdigest()
        for table, rows in database_dump().items()
        if table not in OF_VISITS
    }


def _of_changes(rows: bytes) -> list[bytes]:
    return [row for row in rows.split(b"\n") if not any(action in row for action in OF_REFUSALS)]


def redis_dump(client: redis.Redis) -> bytes:
    """Every key and value in this run's Redis database."""
    found = [bytes(key) + b"=" + bytes(client.dump(key) or b"") for key in client.scan_iter("*")]
    return b"\n".join(found)


def _octets(value: Any) -> bytes:
    if isinstance(value, (bytes, memoryview, bytearray)):
        return bytes(value)
    return str(value).encode("utf-8", "backslashreplace")
