"""Rows by the million: INSERT … SELECT for a model, and tables without what slows that down.

Indexes and foreign keys are taken away and made again from their own definitions, as PostgreSQL's manual has it for
populating a database (14.4.3 and 14.4.4): in the end they are what the migrations made, and every row was checked.
"""
# ruff: noqa: PLC0415  Django is set up (`bench.load.site`) before its database can be used.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper
    from django.db.models import Model

_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY(%(tables)s::regclass[]) ORDER BY conname
"""
_UNIQUE = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'u' AND conrelid = ANY(%(tables)s::regclass[]) ORDER BY conname
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
WHERE i.indrelid = ANY(%(tables)s::regclass[]) AND c.oid IS NULL ORDER BY 1
"""


def insert(model: type[Model], columns: Mapping[str, str], source: str, values: Mapping[str, Any]) -> int:
    """Insert what ``source`` (the end of a SELECT, from its FROM on) yields. How many rows that were.

    ``columns`` gives for names of fields the expression that each comes from; every other field has its default.
    """
    from django.db import connection

    statement, defaults = _statement(model, columns, source)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, **defaults})
        return int(cursor.rowcount)


def _statement(model: type[Model], columns: Mapping[str, str], source: str) -> tuple[str, dict[str, Any]]:
    from django.db import connection

    names, expressions, defaults = [], [], {}
    left = dict(columns)
    for field in model._meta.concrete_fields:
        if field.generated or (field.name not in left and field.db_returning):
            continue
        kind = str(field.db_type(connection)).partition("(")[0]
        names.append(connection.ops.quote_name(str(field.column)))
        if field.name in left:
            expressions.append(f"({left.pop(field.name)})::{kind}")
        else:
            defaults[f"default_{field.name}"] = field.get_db_prep_save(field.get_default(), connection)
            expressions.append(f"%(default_{field.name})s::{kind}")
    if left:
        raise ValueError(f"{model.__name__} has no field {', '.join(left)}.")
    table = connection.ops.quote_name(model._meta.db_table)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(expressions)} {source}", defaults


@contextmanager
def without_indexes(models: Sequence[type[Model]]) -> Iterator[None]:
    """Inside, the models' tables have no index but their primary keys, and nobody looks at foreign keys.

    One transaction, and the only one: nobody else may use the tables meanwhile.
    """
    from django.db import connection, transaction

    values = {"tables": [model._meta.db_table for model in models]}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        constraints = [*_rows(cursor, _FOREIGN_KEYS, values), *_rows(cursor, _UNIQUE, values)]
        indexes = _rows(cursor, _INDEXES, values)
        for table, name, _ in constraints:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in reversed(constraints):
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _rows(cursor: CursorWrapper, statement: str, values: Mapping[str, Any]) -> list[tuple[str, ...]]:
    cursor.execute(statement, values)
    return [tuple(row) for row in cursor.fetchall()]


def analyse() -> None:
    """What autovacuum would have done in the meantime: statistics, and the map of what everybody may see."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("RESET statement_timeout")
