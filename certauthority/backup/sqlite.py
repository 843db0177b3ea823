"""The whole file of SQLite, copied by its own backup interface while others go on reading and writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection

from certauthority.backup.archive import DATABASE, Member, NotRestored, describe

NAME = f"{DATABASE}/site.sqlite3"


def dump(directory: Path, *, without_rows: Iterable[str]) -> tuple[Member, dict[str, int]]:
    """Copy the database as it is at one moment, but for the rows of some tables; and count the rows of each table."""
    connection.ensure_connection()
    path = directory / NAME
    source: Any = connection.connection
    with closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
        for table in without_rows:
            copy.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608  names of our own
        copy.commit()
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("VACUUM")  # Or the rows would still stand in free pages.
        counts = {table: _count(copy, table) for table in connection.introspection.table_names()}
    return describe(path, NAME), counts


def _count(database: sqlite3.Connection, table: str) -> int:
    [found] = database.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}").fetchone()  # noqa: S608  names of our own
    return int(found)


def load(directory: Path) -> None:
    """Put the copy in the place of the empty database.

    Raises:
        NotRestored: SQLite finds that it is damaged.
    """
    connection.ensure_connection()
    target: Any = connection.connection
    with closing(sqlite3.connect(directory / NAME)) as copy:
        try:
            [found] = copy.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found != "ok":
            raise NotRestored(f"The database in the backup is damaged: {found}")
        copy.backup(target)
