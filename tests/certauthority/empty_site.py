"""A site beside that of the tests, into which a backup is restored."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.types.string import TextLoader

from tests.processes import ROOT


@dataclass(frozen=True, slots=True)
class EmptySite:
    """A site without tables and keys, and the environment of its processes."""

    environment: dict[str, str]
    directory: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run this Python on the project, as a process of that site."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def restore(self, archive: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py restore`` there."""
        return self.run("manage.py", "restore", str(archive), *options, **environment)

    def rows(self) -> dict[str, bytes]:
        """As ``database_dump`` has them."""
        tables: dict[str, list[tuple[object, ...]]] = {}
        if url := self.environment["DATABASE_URL"]:
            with psycopg.connect(url, options="-c timezone=UTC") as database:
                for kind in ("json", "jsonb"):
                    database.adapters.register_loader(kind, TextLoader)
                names = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
                for (name,) in names:
                    tables[name] = database.execute(f'SELECT * FROM "{name}"').fetchall()
        elif (path := self.directory / "rehearsal.sqlite3").exists():
            with closing(sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES)) as database:
                listed = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                for (name,) in listed:
                    tables[name] = database.execute(f'SELECT * FROM "{name}"').fetchall()
        return {name: b"\n".join(sorted(b"|".join(map(_octets, row)) for row in rows)) for name, rows in tables.items()}


def _octets(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode("utf-8", "backslashreplace")
