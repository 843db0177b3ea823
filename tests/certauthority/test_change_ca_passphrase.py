"""The passphrase of all key files changes together: every one of them, or none."""

from __future__ import annotations

import fcntl
import getpass
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from certauthority import signers
from certauthority.errors import SigningUnavailable
from certauthority.signers import key_files
from tests.processes import ROOT

OLD, NEW = "one-long-passphrase-of-old", "quite-another-long-one"
NAMES = ("developers", "developers.ocsp", "kmp", "root")
CRASH = """
import os, pathlib, sys
import django
django.setup()
from django.core.management import call_command
rename, left = pathlib.Path.rename, [2]
def dying(self, target):
    if self.name.endswith(".key.pem.new"):
        if not left[0]:
            os._exit(9)
        left[0] -= 1
    return rename(self, target)
pathlib.Path.rename = dying
call_command("change_ca_passphrase", new_passphrase_file=pathlib.Path(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def keys(settings: Settings, tmp_path: Path) -> Iterator[dict[str, bytes]]:
    """Key files under the old passphrase: what each public key is, by name."""
    settings.CA_DIRECTORY, settings.CA_KEY_PASSPHRASE, settings.DEMO = tmp_path / "state/ca", OLD, False
    signers.forget_keys()
    yield {name: signers.spki(key_files.create(name, "EC P-256")) for name in NAMES}
    signers.forget_keys()


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    path = tmp_path / "new-passphrase"
    path.write_text(f"{NEW}\n")
    return path


def change(path: Path) -> str:
    out = StringIO()
    call_command("change_ca_passphrase", new_passphrase_file=path, stdout=out)
    return out.getvalue()


def opened(settings: Settings, passphrase: str) -> dict[str, bytes]:
    """The keys that open with this passphrase."""
    settings.CA_KEY_PASSPHRASE = passphrase
    found = {}
    for name in NAMES:
        try:
            found[name] = signers.spki(key_files.load(name))
        except SigningUnavailable:
            continue
    return found


def names_in(settings: Settings) -> set[str]:
    return {path.name for path in Path(settings.CA_DIRECTORY).iterdir()}


def test_every_key_file_opens_with_the_new_one_alone(
    keys: dict[str, bytes], settings: Settings, new_file: Path
) -> None:
    said = change(new_file)
    for name in NAMES:
        assert f"Encrypted {name}.key.pem anew." in said
        assert key_files.key_path(name).stat().st_mode & 0o777 == 0o600
        assert key_files.key_path(name).read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert "Now set CA_KEY_PASSPHRASE to the new passphrase" in said
    assert NEW not in said
    assert OLD not in said
    assert opened(settings, OLD) == {}
    assert opened(settings, NEW) == keys
    assert names_in(settings) == {f"{name}.key.pem" for name in NAMES}, "no copy under the old one is left"


def test_it_is_asked_for_twice(keys: dict[str, bytes], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [NEW, "a-third-long-passphrase"]
    monkeypatch.setattr(getpass, "getpass", lambda prompt: answers.pop(0))
    with pytest.raises(CommandError, match="two different passphrases"):
        call_command("change_ca_passphrase")
    assert opened(settings, OLD) == keys
    answers += [NEW, NEW]
    call_command("change_ca_passphrase", stdout=StringIO())
    assert opened(settings, NEW) == keys


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("short", "too short or was copied from an example"),
        ("rehearsal-rehearsal-rehearsal", "too short or was copied from an example"),
        (OLD, "The new passphrase is the old one"),
    ],
    ids=["short", "example", "same"],
)
def test_a_bad_choice_is_refused(
    text: str, sentence: str, keys: dict[str, bytes], settings: Settings, new_file: Path
) -> None:
    new_file.write_text(text)
    with pytest.raises(CommandError, match=sentence):
        change(new_file)
    assert opened(settings, OLD) == keys


def test_a_wrong_old_passphrase_changes_nothing(keys: dict[str, bytes], settings: Settings, new_file: Path) -> None:
    settings.CA_KEY_PASSPHRASE = "not the one that it was"
    with pytest.raises(CommandError, match=r"developers.key.pem opens with neither passphrase, and no file was"):
        change(new_file)
    settings.CA_KEY_PASSPHRASE = ""
    with pytest.raises(CommandError, match="CA_KEY_PASSPHRASE is not set"):
        change(new_file)
    assert opened(settings, OLD) == keys


def test_one_file_that_does_not_open_keeps_all_as_they_were(
    keys: dict[str, bytes], settings: Settings, new_file: Path
) -> None:
    key_files.key_path("kmp").write_text("nothing of the kind")
    with pytest.raises(CommandError, match=r"kmp.key.pem opens with neither"):
        change(new_file)
    assert opened(settings, OLD) == {name: key for name, key in keys.items() if name != "kmp"}


def test_a_failure_half_way_puts_back_what_was_changed(
    keys: dict[str, bytes], settings: Settings, new_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, left = Path.rename, [2]

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".key.pem.new"):
            if not left[0]:
                raise OSError(28, "No space left on device")
            left[0] -= 1
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", failing)
        with pytest.raises(CommandError, match=r"\(No space left on device\), and all are as they were"):
            change(new_file)
    assert left == [0], "two were in their place"
    assert opened(settings, OLD) == keys
    assert names_in(settings) == {f"{name}.key.pem" for name in NAMES}


def test_what_a_crash_left_half_done_is_finished_by_the_same_command(
    keys: dict[str, bytes], settings: Settings, new_file: Path
) -> None:
    state = Path(settings.CA_DIRECTORY).parent
    environment = {**os.environ, "STATE_DIR": str(state), "CA_KEY_PASSPHRASE": OLD, "PYTHONPATH": str(ROOT)}
    crashed = subprocess.run(
        [sys.executable, "-c", CRASH, str(new_file)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert crashed.returncode == 9, crashed.stderr
    half = opened(settings, NEW)
    assert len(half) == 2
    assert {**half, **opened(settings, OLD)} == keys, "each opens with one of the two"
    assert change(new_file).count("Encrypted") == 2
    assert opened(settings, NEW) == keys
    assert names_in(settings) == {f"{name}.key.pem" for name in NAMES}
    settings.CA_KEY_PASSPHRASE = OLD
    assert "Every key file opens with the new passphrase already." in change(new_file)


def test_two_at_once_do_not_mix(keys: dict[str, bytes], settings: Settings, new_file: Path) -> None:
    handle = os.open(settings.CA_DIRECTORY, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="being changed by somebody else"):
            change(new_file)
    finally:
        os.close(handle)
    assert opened(settings, OLD) == keys


def test_a_site_without_keys_and_a_file_without_text_are_told(
    settings: Settings, tmp_path: Path, new_file: Path
) -> None:
    with pytest.raises(CommandError, match="cannot be read as a text"):
        change(tmp_path / "absent")
    settings.CA_DIRECTORY = tmp_path / "empty"
    with pytest.raises(CommandError, match="No such file or directory"):
        change(new_file)
    settings.CA_DIRECTORY.mkdir()
    with pytest.raises(CommandError, match="There is no key file in"):
        change(new_file)


def test_the_demo_says_where_its_own_is_kept(settings: Settings, new_file: Path) -> None:
    settings.DEMO = True
    assert "secrets/ca_key_passphrase" in change(new_file)
