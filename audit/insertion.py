"""Insert a row with SQL that is built once per model.

Django's ``save`` builds the statement anew each time and asks signal handlers; for the three rows of every certificate
that takes longer than the database does (``make bench``). It stands in the lowest app, so that all can use it.
"""

# ruff: noqa: SLF001  (_meta and _state are the names that Django documents)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    fields: tuple[Any, ...]
    returned: tuple[Any, ...]


def insert(row: Row) -> Row:
    """Insert a new row, as ``save(force_insert=True)`` does without signals, and return it.

    Raises:
        IntegrityError: a constraint refuses it.
    """
    statement = _statement(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in statement.fields]
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, values)
        for field, value in zip(statement.returned, cursor.fetchone() if statement.returned else (), strict=True):
            setattr(row, field.attname, value)
    row._state.adding = False
    row._state.db = connection.alias
    return row


def insert_new(rows: Sequence[Row]) -> int:
    """Insert rows of one model, without signals, but those that are there already by a unique constraint.

    Returns how many were new. They go as one array for each column where the database knows arrays.
    """
    if not rows:
        return 0
    statement = _statement_for_many(type(rows[0]))
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in statement.fields
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(statement.sql, values)
        else:
            cursor.executemany(statement.sql, list(zip(*values, strict=True)))
        return int(cursor.rowcount)


@lru_cache
def _statement_for_many(model: type[models.Model]) -> _Statement:
    fields = tuple(field for field in model._meta.concrete_fields if not field.db_returning)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    if connection.vendor == "postgresql":
        # Without its length, so that a value that is too long is refused, not cut.
        arrays = ", ".join(f"%s::{str(field.db_type(connection)).partition('(')[0]}[]" for field in fields)
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608  names of our own
    else:
        source = f"VALUES ({', '.join(['%s'] * len(fields))})"
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {source} ON CONFLICT DO NOTHING"
    return _Statement(sql=sql, fields=fields, returned=())


@lru_cache
def _statement(model: type[models.Model]) -> _Statement:
    returned = tuple(field for field in model._meta.concrete_fields if field.db_returning)
    fields = tuple(field for field in model._meta.concrete_fields if not field.db_returning)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608  names of our own
    if returned:
        sql += " RETURNING " + ", ".join(quote(str(field.column)) for field in returned)
    return _Statement(sql=sql, fields=fields, returned=returned)
