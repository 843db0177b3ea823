"""The tables of PostgreSQL, by COPY: as fast as pg_dump, and needing no program of the server's own version."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.db import connection

from certauthority.backup.archive import DATABASE, Manifest, Member, NotRestored, describe

_PIECE = 1024 * 1024


def dump(directory: Path, tables: Iterable[str], *, without_rows: frozenset[str]) -> list[Member]:
    """Write every table to a file. Call it in a transaction that sees one moment (``see_one_moment``)."""
    return [_dump(directory, table, is_empty=table in without_rows) for table in tables]


def see_one_moment() -> None:
    """Let the transaction that has just begun see what is committed now, and nothing of what comes later."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")


def sequences() -> list[tuple[str, int]]:
    """The last number that each sequence gave. Read it after the rows: sequences know no transactions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() "
            "AND last_value IS NOT NULL ORDER BY sequencename"
        )
        return [(str(name), int(last)) for name, last in cursor.fetchall()]


def load(directory: Path, manifest: Manifest) -> None:
    """Put the rows into the empty tables, in the caller's transaction; foreign keys are checked at its end.

    Raises:
        NotRestored: a table got another number of rows than it had.
    """
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        # What migrations have put there. The audit log refuses even this, and no migration writes to it.
        filled = [member.table for member in manifest.members if member.table and _has_rows(member.table)]
        if filled:
            cursor.execute(f"TRUNCATE {', '.join(map(quote, filled))} CASCADE")
        for member in manifest.members:
            if member.table:
                _load(directory, member)
        for name, last in manifest.sequences:
            cursor.execute("SELECT setval(%s::regclass, %s)", [quote(name), last])


def _dump(directory: Path, table: str, *, is_empty: bool) -> Member:
    columns = _columns(table)
    name = f"{DATABASE}/{table}.copy"
    path = directory / name
    rows = 0
    with open(path, "wb") as file, connection.cursor() as cursor:
        if not is_empty:
            with cursor.copy(f"COPY {_target(table, columns)} TO STDOUT") as copy:
                file.writelines(copy)
            rows = cursor.rowcount
    return describe(path, name, table=table, rows=rows, columns=columns)


def _load(directory: Path, member: Member) -> None:
    with connection.cursor() as cursor, open(directory / member.name, "rb") as file:
        with cursor.copy(f"COPY {_target(member.table, member.columns)} FROM STDIN") as copy:
            while piece := file.read(_PIECE):
                copy.write(piece)
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(member.table)}")  # noqa: S608  names of our own
        found = cursor.fetchone()[0]
    if found != member.rows:
        raise NotRestored(f"The table {member.table} got {found} rows of {member.rows}. Nothing was restored.")


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {connection.ops.quote_name(table)})")  # noqa: S608  names of our own
        return bool(cursor.fetchone()[0])


def _target(table: str, columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(table)} ({', '.join(map(quote, columns))})"


def _columns(table: str) -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
        return tuple(str(name) for (name,) in cursor.fetchall())
