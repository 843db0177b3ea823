"""Make a backup while the site goes on working."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from certauthority.backup import postgresql, sqlite
from certauthority.backup.archive import DATABASE, FORMAT, KEYS, Manifest, Member, NotBackedUp, describe, pack

# Whoever is signed in when a backup is made must not be so again because it is restored.
SESSIONS = frozenset({"django_session", "usersessions_usersession"})
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def back_up(target: Path, *, now: datetime) -> Manifest:
    """Write one archive of the database as it is at one moment, and of the CAs' keys.

    Raises:
        NotBackedUp: the file is there already, cannot be written, or a key of a CA cannot be read or is not encrypted.
    """
    if target.exists():
        raise NotBackedUp(f"There is a file {target} already. Name another one, or remove it first.")
    try:
        with TemporaryDirectory(prefix=".backup-", dir=target.parent) as name:
            directory = Path(name)
            for part in (DATABASE, KEYS):
                (directory / part).mkdir(mode=0o700)
            manifest = _dump(directory, now=now)
            pack(directory, manifest, target)
    except OSError as error:
        raise NotBackedUp(f"{target.parent} cannot be written ({error.strerror}). Name a place that can.") from error
    return manifest


def _dump(directory: Path, *, now: datetime) -> Manifest:
    tables = sorted(connection.introspection.table_names())
    with transaction.atomic():
        if connection.vendor == "postgresql":
            postgresql.see_one_moment()
            members = postgresql.dump(directory, tables, without_rows=SESSIONS)
            sequences = postgresql.sequences()
        else:
            members, sequences = [], []
        migrations = _newest_migrations()
    if connection.vendor == "sqlite":
        member, counts = sqlite.dump(directory, without_rows=SESSIONS & set(tables))
        members.append(member)
    else:
        counts = {member.table: member.rows for member in members}
    # After the rows: a key is stored before the row that needs it.
    members += _copy_keys(directory)
    return Manifest(
        format=FORMAT,
        made_at=now.isoformat(),
        release=_release(),
        database=connection.vendor,
        signer=str(settings.SIGNER),
        migrations=tuple(migrations),
        sequences=tuple(sequences),
        counts=counts,
        members=tuple(members),
    )


def _newest_migrations() -> list[tuple[str, str]]:
    """The last of each app that was applied."""
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    newest = [key for key in applied if key in loader.graph.nodes and not _is_followed(loader, key, applied)]
    return sorted(newest)


def _is_followed(loader: MigrationLoader, key: tuple[str, str], applied: set[tuple[str, str]]) -> bool:
    children = loader.graph.node_map[key].children
    return any(child.key[0] == key[0] and child.key in applied for child in children)


def _copy_keys(directory: Path) -> list[Member]:
    members = []
    source = Path(settings.CA_DIRECTORY)
    for path in sorted(source.glob("*.key.pem")) if source.is_dir() else []:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise NotBackedUp(f"The key file {path.name} cannot be read ({error.strerror}).") from error
        if not content.startswith(_ENCRYPTED):
            raise NotBackedUp(f"The key file {path.name} is not encrypted, and no backup may hold it so.")
        copy = directory / KEYS / path.name
        copy.write_bytes(content)
        members.append(describe(copy, f"{KEYS}/{path.name}"))
    return members


def _release() -> str:
    path = Path(settings.BASE_DIR) / "pyproject.toml"
    return str(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"]) if path.exists() else ""
