"""Restore a backup into an empty site, and go on there: same rows, same keys, higher CRLs; and what is no backup."""

from __future__ import annotations

import gzip
import io
import secrets
import stat
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from certauthority import crl_shards, revocation_lists
from certauthority.backup.making import SESSIONS
from certauthority.models import Authority, Certificate
from tests.certauthority.empty_site import EmptySite
from tests.hostile.traces import database_dump
from tests.processes import site_environment
from tests.whole_site import make_whole_site

GO_ON = """
import django
django.setup()
from django.utils import timezone
from audit.events import SYSTEM
from certauthority import readiness, revocation, revocation_lists
from certauthority.models import Authority, Certificate, RevocationReason
from portal.models import Project
from tests.factories import make_credential
now = timezone.now()
certificate = make_credential(Project.objects.filter(deleted_at=None).first(), alias="restored").certificate
revocation.revoke(certificate, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=now)
crl = revocation_lists.publish(Authority.objects.get(name="developers"), now=now)
print(crl.number, certificate.serial, readiness.problems(now=now).get("ca_key", "signs"))
"""


@pytest.fixture
def empty_site(transactional_db: None, tmp_path: Path, redis_client: redis.Redis) -> Iterator[EmptySite]:
    """Of the same kind of database, and with the same secrets."""
    state = tmp_path / "restored"
    state.mkdir()
    environment = site_environment() | {
        "STATE_DIR": str(state),
        "SECRET_KEY": settings.SECRET_KEY,
        "CA_KEY_PASSPHRASE": settings.CA_KEY_PASSPHRASE,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    if connection.vendor == "sqlite":
        yield EmptySite(environment, state)
        return
    name, host = f"restored_{secrets.token_hex(6)}", connection.settings_dict["OPTIONS"]["host"]
    with psycopg.connect(f"postgresql://postgres@/postgres?host={quote(host)}", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield EmptySite(environment | {"DATABASE_URL": f"postgresql://postgres@/{name}?host={host}"}, state)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def archive(transactional_db: None, authorities: dict[str, Authority], tmp_path: Path) -> Path:
    """A backup of a site that has something of everything."""
    make_whole_site()
    path = tmp_path / "backup.tar.gz"
    call_command("backup", str(path), verbosity=0)
    return path


def changed(archive: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with other members; None leaves one out."""
    result = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as source, tarfile.open(result, "w:gz") as target:
        for entry in source:
            file = source.extractfile(entry)
            content = change(entry.name, file.read() if file else b"")
            if content is not None:
                entry.size = len(content)
                target.addfile(entry, io.BytesIO(content))
    return result


def test_the_restored_site_has_every_row_and_goes_on(archive: Path, empty_site: EmptySite) -> None:
    before = database_dump()
    # What is published after the backup: its number must not be given again.
    latest = revocation_lists.publish(Authority.objects.get(name="developers"), now=timezone.now())
    assert latest is not None
    Authority.objects.filter(name="developers").update(crl_number_above=latest.number + 50_000)
    latest = revocation_lists.publish(Authority.objects.get(name="developers"), now=timezone.now())
    assert latest is not None
    # Where no list can be signed, the rows are just what they were.
    done = empty_site.restore(archive, CA_KEY_PASSPHRASE="the passphrase of another site")
    assert done.returncode == 0, done.stderr
    assert "revoke again what the last published CRLs list" in done.stdout
    assert "No new CRLs could be published" in done.stderr
    assert "Run manage.py publish_revocation_lists before you start the site" in done.stderr
    assert "the passphrase of another site" not in done.stdout + done.stderr
    after = empty_site.rows()
    changed_rows = {"audit_auditevent", "certauthority_authority", "sqlite_sequence", "django_migrations"}
    different = {name for name, rows in before.items() if after.get(name) != rows} - changed_rows - SESSIONS
    assert different == set()
    assert len(after["audit_auditevent"].splitlines()) == len(before["audit_auditevent"].splitlines()) + 1
    assert b"site.restored" in after["audit_auditevent"]
    assert not any(after[name] for name in SESSIONS)
    keys = empty_site.directory / "ca"
    assert {key.name for key in keys.iterdir()} >= {"root.key.pem", "developers.key.pem", "kmp.ocsp.key.pem"}
    assert all(stat.S_IMODE(key.stat().st_mode) == 0o600 for key in keys.iterdir())
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700

    went_on = empty_site.run("-c", GO_ON)
    assert went_on.returncode == 0, went_on.stderr
    number, serial, signs = went_on.stdout.split()
    assert signs == "signs"
    assert int(number) > latest.number
    assert not Certificate.objects.filter(serial=serial).exists(), "it was issued on the other site"

    again = empty_site.restore(archive)
    assert again.returncode == 1
    assert "The database is not empty" in again.stderr


LISTS = """
import django
django.setup()
from certauthority import crl_shards, revocation_lists
print(*[revocation_lists.current(scope.authority, scope.shard).number for scope in crl_shards.scopes()])
"""


def test_the_restored_site_gives_out_no_list_of_the_backup(archive: Path, empty_site: EmptySite) -> None:
    """Its number would be lower than that of a list that was published since (RFC 5280, 5.2.3)."""
    latest, lists = 0, list(crl_shards.scopes())
    for scope in lists * 3:
        published = revocation_lists.publish(scope.authority, shard=scope.shard, now=timezone.now())
        latest = max(latest, published.number if published else 0)
    done = empty_site.restore(archive)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Published CRL") == len(lists)
    numbers = [int(number) for number in empty_site.run("-c", LISTS).stdout.split()]
    assert len(numbers) == len(lists) >= Authority.objects.count()
    assert min(numbers) > latest


def test_the_restored_audit_log_still_refuses_changes(archive: Path, empty_site: EmptySite) -> None:
    assert empty_site.restore(archive).returncode == 0
    program = (
        "import django; django.setup(); from audit.models import AuditEvent; AuditEvent.objects.update(actor='nobody')"
    )
    done = empty_site.run("-c", program)
    assert done.returncode == 1
    assert "audit events are append-only" in done.stderr


def test_keys_need_the_passphrase_they_were_made_with(archive: Path, empty_site: EmptySite) -> None:
    assert empty_site.restore(archive).returncode == 0
    other = empty_site.run("-c", GO_ON, CA_KEY_PASSPHRASE="the passphrase of another site")
    assert other.returncode == 1
    assert "does not open with CA_KEY_PASSPHRASE" in other.stderr


def _rows_changed(name: str, content: bytes) -> bytes:
    return content.replace(b"developers", b"imposters!") if name.startswith("database/") else content


def _key_left_out(name: str, content: bytes) -> bytes | None:
    return None if name == "ca/kmp.key.pem" else content


def _manifest_changed(name: str, content: bytes) -> bytes:
    return content.replace(b'"release": "0.1.0"', b'"release": "9.9.9"') if name == "manifest.json" else content


def _name_leads_out(name: str, content: bytes) -> bytes:
    return content.replace(b"ca/root.key.pem", b"../root.key.pem") if name == "manifest.json" else content


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_rows_changed, "is not what the manifest says"),
        (_key_left_out, "ca/kmp.key.pem is missing"),
        (_manifest_changed, "signed with another SECRET_KEY, or its manifest was changed"),
    ],
    ids=["rows", "key left out", "manifest"],
)
def test_an_archive_that_was_changed_is_refused_and_nothing_is_written(
    archive: Path, empty_site: EmptySite, change: Callable[[str, bytes], bytes | None], sentence: str
) -> None:
    done = empty_site.restore(changed(archive, change))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert empty_site.rows() == {}
    assert not (empty_site.directory / "ca").exists()


def test_even_a_believed_archive_writes_nowhere_else(archive: Path, empty_site: EmptySite) -> None:
    done = empty_site.restore(changed(archive, _name_leads_out), "--believe-unsigned")
    assert done.returncode == 1
    assert "it names '../root.key.pem'" in done.stderr
    assert empty_site.rows() == {}


def test_the_archive_of_another_secret_key_is_restored_only_when_asked_for(
    archive: Path, empty_site: EmptySite
) -> None:
    other = {"SECRET_KEY": secrets.token_urlsafe(50)}
    refused = empty_site.restore(archive, **other)
    assert refused.returncode == 1
    assert "another SECRET_KEY" in refused.stderr
    assert empty_site.restore(archive, "--believe-unsigned", **other).returncode == 0


@pytest.mark.parametrize(
    "content", [b"", b"no archive at all", gzip.compress(b"no tar")], ids=["empty", "text", "gzip"]
)
def test_what_is_no_archive_is_refused_in_words(content: bytes, empty_site: EmptySite, tmp_path: Path) -> None:
    (tmp_path / "wrong.tar.gz").write_bytes(content)
    done = empty_site.restore(tmp_path / "wrong.tar.gz")
    assert done.returncode == 1
    assert "is no backup of this site, or it is damaged" in done.stderr


def test_a_site_with_keys_is_not_restored_into(archive: Path, empty_site: EmptySite) -> None:
    (empty_site.directory / "ca").mkdir()
    (empty_site.directory / "ca" / "root.key.pem").write_text("somebody’s key")
    done = empty_site.restore(archive)
    assert done.returncode == 1
    assert "A backup never replaces keys" in done.stderr


def test_nor_while_redis_remembers_another_site(
    archive: Path, empty_site: EmptySite, redis_client: redis.Redis
) -> None:
    redis_client.set("ocsp:1:ff", "a response", ex=3600)
    done = empty_site.restore(archive)
    assert done.returncode == 1
    assert "Redis holds OCSP responses" in done.stderr


def test_numbers_of_lists_grow_after_a_restore_however_long_ago_the_backup_was(
    authorities: dict[str, Authority],
) -> None:
    floor = int(time.time() * 1000)
    Authority.objects.filter(name="kmp").update(crl_number_above=floor)
    first = revocation_lists.publish(authorities["kmp"], now=timezone.now())
    second = revocation_lists.publish(authorities["kmp"], now=timezone.now())
    assert first is not None
    assert second is not None
    assert (first.number, second.number) == (floor + 1, floor + 2)
