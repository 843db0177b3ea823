"""The file of a backup: a gzipped tar of a manifest, its signature, and the members that the manifest lists.

The manifest has the SHA-256 of every member, and is itself signed with ``SECRET_KEY``, so that nobody who lacks it can
change an archive unseen.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac

from certauthority.errors import CAError

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
DATABASE, KEYS = "database", "ca"
_MOST_MANIFEST_OCTETS = 16 * 1024 * 1024
_SALT = "certauthority.backup"
_PIECE = 1024 * 1024


class NotBackedUp(CAError):
    """The backup cannot be made; nothing is left of the attempt."""


class NotRestored(CAError):
    """The archive cannot be restored. Unless the message says otherwise, nothing was changed."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. ``rows`` is of a table; ``columns`` are in the order in which the rows have them."""

    name: str
    sha256: str
    octets: int
    table: str = ""
    rows: int = 0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds. ``migrations`` are the newest of each app, ``sequences`` the last numbers given."""

    format: int
    made_at: str
    release: str
    database: str
    signer: str
    migrations: tuple[tuple[str, str], ...]
    sequences: tuple[tuple[str, int], ...]
    counts: dict[str, int]
    members: tuple[Member, ...]


def describe(path: Path, name: str, *, table: str = "", rows: int = 0, columns: tuple[str, ...] = ()) -> Member:
    """The entry of a file in the manifest."""
    return Member(name, _digest(path), path.stat().st_size, table, rows, columns)


def pack(directory: Path, manifest: Manifest, target: Path) -> None:
    """Write the archive under its name at once or not at all, readable by its owner alone.

    Raises:
        NotBackedUp: there is a file by that name, or it cannot be written.
    """
    text = json.dumps(asdict(manifest), indent=1).encode()
    (directory / MANIFEST).write_bytes(text)
    (directory / SIGNATURE).write_text(_signature(text), encoding="ascii")
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                for name in (MANIFEST, SIGNATURE, *(member.name for member in manifest.members)):
                    tar.add(directory / name, arcname=name, recursive=False, filter=_nobodys)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, target)  # Unlike a rename it never replaces what is there.
    except FileExistsError:
        raise NotBackedUp(f"There is a file {target} already. Name another one, or remove it first.") from None
    except OSError as error:
        raise NotBackedUp(f"{target} cannot be written ({error.strerror}). Name a place that can.") from error
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def unpacked(source: Path, *, believe_unsigned: bool = False) -> Iterator[tuple[Path, Manifest]]:
    """The members in a directory of their own and the manifest, once every digest was found right.

    Raises:
        NotRestored: it cannot be read, is damaged, was changed, or was signed with another ``SECRET_KEY``.
    """
    with TemporaryDirectory(prefix=".restore-", dir=source.parent) as name:
        directory = Path(name)
        try:
            with tarfile.open(source, mode="r:gz") as tar:
                manifest = _unpack(tar, directory, believe_unsigned=believe_unsigned)
        except FileNotFoundError as error:
            raise NotRestored(f"There is no file {source}.") from error
        except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
            raise NotRestored(
                f"{source} is no backup of this site, or it is damaged ({type(error).__name__}). Take another one."
            ) from error
        yield directory, manifest


def _unpack(tar: tarfile.TarFile, directory: Path, *, believe_unsigned: bool) -> Manifest:
    entries = iter(tar)
    text = _small(tar, next(entries, None), MANIFEST)
    signature = _small(tar, next(entries, None), SIGNATURE).decode("ascii", "replace")
    if not believe_unsigned and not constant_time_compare(signature, _signature(text)):
        raise NotRestored(
            "The backup was signed with another SECRET_KEY, or its manifest was changed. Set the SECRET_KEY of the "
            "site that made it: without it stored second factors and webhooks are lost, too. If it is gone for good "
            "and you trust the file, add --believe-unsigned."
        )
    manifest = _read(json.loads(text))
    expected = {member.name: member for member in manifest.members}
    for entry in entries:
        member = expected.pop(entry.name, None)
        if member is None or not entry.isreg() or entry.size != member.octets:
            raise NotRestored(f"The backup is damaged or was changed: {entry.name[:100]!r} does not belong there.")
        path = directory / member.name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(tar, entry, path)
        if _digest(path) != member.sha256:
            raise NotRestored(f"The backup is damaged or was changed: {member.name} is not what the manifest says.")
    if expected:
        raise NotRestored(f"The backup is incomplete: {next(iter(expected))} is missing.")
    return manifest


def _read(stored: dict[str, Any]) -> Manifest:
    if stored.get("format") != FORMAT:
        raise NotRestored("The backup was made by another release, in a form that this one does not read.")
    members = []
    for entry in stored.pop("members"):
        member = Member(**{**entry, "columns": tuple(entry["columns"])})
        if not _is_plain(member.name):
            raise NotRestored(f"The backup was changed: it names {member.name[:100]!r}.")
        members.append(member)
    pairs = {name: tuple(tuple(pair) for pair in stored.pop(name)) for name in ("migrations", "sequences")}
    return Manifest(**{**stored, **pairs, "members": tuple(members)})


def _is_plain(name: str) -> bool:
    """One of the names that we give: nothing that leads out of the directory."""
    folder, _, file = name.partition("/")
    return folder in (DATABASE, KEYS) and file not in ("", ".", "..") and not set(file) & set("/\\\0")


def _small(tar: tarfile.TarFile, entry: tarfile.TarInfo | None, name: str) -> bytes:
    file = tar.extractfile(entry) if entry and entry.name == name and entry.size <= _MOST_MANIFEST_OCTETS else None
    if file is None:
        raise KeyError(name)
    return file.read()


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    content = tar.extractfile(entry)
    if content is None:
        raise KeyError(entry.name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := content.read(_PIECE):
            file.write(piece)


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the name of who made it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _signature(text: bytes) -> str:
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
