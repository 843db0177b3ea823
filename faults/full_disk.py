"""A database that cannot store: because its disk is full, or because a trigger says so."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from faults.site import Site
from tools.stack.layout import LOOPBACK
from tools.stack.servers import DATABASE_ACCOUNT

REFUSE = """
    CREATE FUNCTION fault_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'a fault' USING ERRCODE = '{code}'; END $$;
    CREATE TRIGGER fault_refuses BEFORE {moment} ON {table} FOR EACH ROW WHEN ({condition})
    EXECUTE FUNCTION fault_refuses();
"""
IO_ERROR, DISK_FULL = "58030", "53100"
PIECE, GUARD_SECONDS = 4096, 30.0
OWNER_MAY_ENTER = "host all postgres 127.0.0.1/32 trust\n"


@contextmanager
def refusing(site: Site, *, table: str, moment: str, condition: str, code: str = IO_ERROR) -> Iterator[None]:
    """The database fails to store these rows, with an I/O error unless told otherwise."""
    site.database.execute(REFUSE.format(table=table, moment=moment, condition=condition, code=code))
    try:
        yield
    finally:
        site.database.execute("DROP FUNCTION fault_refuses() CASCADE")


@contextmanager
def full_disk(site: Site, table: str) -> Iterator[str]:
    """No new row of this table fits on its disk. It yields how that was done.

    The table moves to a disk of one megabyte in memory, which is then filled. Where none may be mounted a trigger
    raises the error that PostgreSQL would.
    """
    disk = site.stack.layout.directory / "small-disk"
    if not _mounted(disk):
        with refusing(site, table=table, moment="INSERT", condition="true", code=DISK_FULL):
            yield "by a trigger"
        return
    try:
        with _owner(site) as owner:
            owner.execute(f"CREATE TABLESPACE small_disk LOCATION '{disk}'")
            # Each new row needs a new page.
            owner.execute(f"ALTER TABLE {table} SET (fillfactor = 10)")
            owner.execute(f"ALTER TABLE {table} SET TABLESPACE small_disk")
            try:
                _fill(disk / "filler")
                yield "a disk of 1 MB, filled"
            finally:
                (disk / "filler").unlink(missing_ok=True)
                owner.execute(f"ALTER TABLE {table} SET TABLESPACE pg_default")
                owner.execute(f"ALTER TABLE {table} RESET (fillfactor)")
                owner.execute("CHECKPOINT")
                owner.execute("DROP TABLESPACE small_disk")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
        disk.rmdir()


def _mounted(disk: Path) -> bool:
    """Whether a small disk of PostgreSQL's account could be mounted there."""
    disk.mkdir(mode=0o700)
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False)
    except FileNotFoundError:
        return False
    if done.returncode:
        disk.rmdir()
        return False
    disk.chmod(0o700)
    shutil.chown(disk, DATABASE_ACCOUNT, DATABASE_ACCOUNT)
    return True


def _fill(path: Path) -> None:
    """Write until the disk takes no more."""
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * PIECE):
                pass
        except OSError:
            file.flush()


@contextmanager
def _owner(site: Site) -> Iterator[psycopg.Connection]:
    """A connection as the owner of all databases, whom the stack lets in for as long as it lasts."""
    layout = site.stack.layout
    rules = layout.directory / "database" / "pg_hba.conf"
    before = rules.read_text(encoding="ascii")
    rules.write_text(OWNER_MAY_ENTER + before, encoding="ascii")
    _reread(site)
    try:
        with _let_in(f"postgresql://postgres@{LOOPBACK}:{layout.ports['database']}/site") as connection:
            yield connection
    finally:
        rules.write_text(before, encoding="ascii")
        _reread(site)


def _reread(site: Site) -> None:
    """Have PostgreSQL read its rules anew."""
    os.kill(site.stack.pid("database"), signal.SIGHUP)


def _let_in(address: str) -> psycopg.Connection:
    """A connection once PostgreSQL has read that it may be. Raises psycopg.OperationalError where it never is."""
    until = time.monotonic() + GUARD_SECONDS
    while True:
        try:
            return psycopg.connect(address, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
