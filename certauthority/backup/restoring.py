"""Restore a backup into an empty site: first everything is looked at, then the database is filled, then the keys come.

CRL numbers go on above any that can have been published since the backup was made (RFC 5280, 5.2.3: a number is never
given twice, and clients keep the list with the higher one). The backup does not know them. But no CA signs a CRL each
millisecond, and so the milliseconds since 1970 are a number that none has reached; from there they count on one by one.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from audit.events import SYSTEM, AuditedObject, record
from certauthority.backup import postgresql, sqlite
from certauthority.backup.archive import KEYS, Manifest, NotRestored, unpacked
from certauthority.models import Authority, RevocationList
from certauthority.ocsp import ready_made

# A clock that is behind by less than this is no reason to refuse.
_CLOCKS_DIFFER = timedelta(minutes=5)


def restore(source: Path, *, now: datetime, believe_unsigned: bool = False) -> Manifest:
    """Fill the empty site with what the archive holds, and bring it up to this release.

    Raises:
        NotRestored: the archive is not good, or does not fit, or the site is not empty. Nothing was changed then,
            unless the message says so.
    """
    _see_that_the_site_is_empty()
    _see_that_redis_is_empty()
    with unpacked(source, believe_unsigned=believe_unsigned) as (directory, manifest):
        _see_that_it_fits(manifest, now=now)
        try:
            _fill(directory, manifest, now=now)
        except NotRestored:
            raise
        except Exception as error:
            raise NotRestored(
                f"The database was filled in part, and then failed: {type(error).__name__}: {error}. Remove the "
                "database, create it anew, and restore again."
            ) from error
    return manifest


def _see_that_the_site_is_empty() -> None:
    if connection.introspection.table_names():
        raise NotRestored(
            "The database is not empty: it has tables. A backup is restored into an empty database only, before "
            "manage.py migrate. Create a new one, and name it in DATABASE_URL (or choose a new STATE_DIR)."
        )
    directory = Path(settings.CA_DIRECTORY)
    if directory.exists() and any(directory.iterdir()):
        raise NotRestored(
            f"{directory} is not empty: it holds keys of a CA. A backup never replaces keys. Move them away first."
        )


def _see_that_redis_is_empty() -> None:
    try:
        is_empty = not ready_made.times_left()
    except redis.RedisError:
        return  # It is not needed here; what it will be asked for later it must not know.
    if not is_empty:
        raise NotRestored(
            "Redis holds OCSP responses of another time, which would be given out. Empty it (redis-cli flushdb), or "
            "name another one in REDIS_URL."
        )


def _see_that_it_fits(manifest: Manifest, *, now: datetime) -> None:
    if manifest.database != connection.vendor:
        raise NotRestored(
            f"The backup is of {manifest.database}, and this site uses {connection.vendor}. Rows cannot go from one "
            "kind of database to the other: set DATABASE_URL to a database of the kind that the backup has."
        )
    known = MigrationLoader(None).graph.nodes
    unknown = [f"{app} {name}" for app, name in manifest.migrations if (app, name) not in known]
    if unknown:
        raise NotRestored(
            f"The backup was made by a newer release: this one does not know the migration {unknown[0]}. Install the "
            f"release {manifest.release or 'that made it'} and restore with that one."
        )
    if datetime.fromisoformat(manifest.made_at) > now + _CLOCKS_DIFFER:
        raise NotRestored(
            f"The backup was made at {manifest.made_at}, and this machine's clock says {now.isoformat()}. Set the "
            "clock right: the numbers of CRLs go by it."
        )


def _fill(directory: Path, manifest: Manifest, *, now: datetime) -> None:
    if connection.vendor == "sqlite":
        sqlite.load(directory)
    else:
        MigrationExecutor(connection).migrate(list(manifest.migrations))
    with transaction.atomic():
        if connection.vendor == "postgresql":
            postgresql.load(directory, manifest)
        connection.check_constraints()
    call_command("migrate", interactive=False, verbosity=0)
    with transaction.atomic():
        _raise_crl_numbers(now=now)
        record(
            "site.restored",
            actor=SYSTEM,
            on=AuditedObject(type="site", id="site", label="Backup restored"),
            now=now,
            after={"made_at": manifest.made_at, "release": manifest.release},
        )
        _place_keys(directory)


def _raise_crl_numbers(*, now: datetime) -> None:
    floor = int(now.timestamp() * 1000)
    for authority in Authority.objects.select_for_update():
        newest = RevocationList.objects.filter(authority=authority).order_by("-number").first()
        last = max(floor, newest.number if newest else 0, authority.crl_number_above or 0)
        Authority.objects.filter(pk=authority.pk).update(crl_number_above=last)


def _place_keys(directory: Path) -> None:
    """All of them at once: the directory gets its name when every key is in it."""
    target = Path(settings.CA_DIRECTORY)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.mkdir(parents=True, mode=0o700)
    try:
        found = directory / KEYS
        for key in sorted(found.iterdir()) if found.is_dir() else []:
            copy = fresh / key.name
            shutil.copyfile(key, copy)
            copy.chmod(0o600)
            with open(copy, "rb") as file:
                os.fsync(file.fileno())
        if target.exists():
            target.rmdir()  # It is empty.
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
