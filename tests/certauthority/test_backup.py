"""Back up a site with data: what an archive holds, who may read it, and what is not backed up."""

from __future__ import annotations

import gzip
import json
import os
import stat
import tarfile
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority.models import Authority, Certificate
from tests.whole_site import make_whole_site


@pytest.fixture
def archive(transactional_db: None, authorities: dict[str, Authority], tmp_path: Path) -> Path:
    """A backup of a site that has something of everything."""
    make_whole_site()
    path = tmp_path / "backup.tar.gz"
    call_command("backup", str(path), verbosity=0)
    return path


def manifest_of(archive: Path) -> dict[str, object]:
    with tarfile.open(archive) as tar:
        file = tar.extractfile("manifest.json")
        assert file is not None
        return dict(json.load(file))


def test_an_archive_is_the_owners_alone_and_holds_no_secret(archive: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if "backup" in path.name) == ["backup.tar.gz"]
    content = gzip.decompress(archive.read_bytes())
    for secret in (settings.SECRET_KEY, settings.CA_KEY_PASSPHRASE):
        assert secret.encode() not in content
    assert b"-----BEGIN PRIVATE KEY-----" not in content
    assert content.count(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") >= 4


def test_its_manifest_tells_what_it_holds(archive: Path) -> None:
    manifest = manifest_of(archive)
    assert manifest["database"] == connection.vendor
    assert manifest["release"] == "0.1.0"
    counts = manifest["counts"]
    assert isinstance(counts, dict)
    assert counts["certauthority_certificate"] == Certificate.objects.count() > 4
    assert counts["audit_auditevent"] == AuditEvent.objects.count()
    assert counts["django_session"] == 0


def test_a_backup_replaces_no_file(archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(CommandError, match="There is a file"):
        call_command("backup", str(archive))
    assert archive.read_bytes() == before


@pytest.mark.usefixtures("authorities", "transactional_db")
def test_it_says_where_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("backup", str(tmp_path / "nowhere" / "backup.tar.gz"))


@pytest.mark.usefixtures("authorities", "transactional_db")
def test_a_key_that_is_not_encrypted_is_not_backed_up(tmp_path: Path, settings: Settings) -> None:
    settings.CA_DIRECTORY = tmp_path / "ca"
    settings.CA_DIRECTORY.mkdir()
    (settings.CA_DIRECTORY / "root.key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(CommandError, match=r"root\.key\.pem is not encrypted"):
        call_command("backup", str(tmp_path / "backup.tar.gz"))
    assert sorted(os.listdir(tmp_path)) == ["ca"]
