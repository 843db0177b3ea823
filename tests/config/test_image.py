"""The image: what goes into it, who it runs as, and what may not be in it."""

from __future__ import annotations

import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from config.run import process
from tests.config.compose_file import load
from tests.config.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
BUILD, FINAL = DOCKERFILE.split("\nFROM ")[1:]


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a file go to the builder: the last pattern that fits it or a folder of it decides."""
    sent = True
    for pattern in (ROOT / ".dockerignore").read_text().split():
        names = pattern.removeprefix("!")
        places = [str(place) for place in (PurePosixPath(path), *PurePosixPath(path).parents) if str(place) != "."]
        candidates = [place.rsplit("/", 1)[-1] for place in places] if names.startswith("**/") else places
        if any(fnmatch(place, names.removeprefix("**/")) for place in candidates):
            sent = pattern.startswith("!")
    return sent


def copied() -> set[str]:
    """What the Dockerfile takes out of the project."""
    return set(re.findall(r"^COPY ([^-]\S*) ", DOCKERFILE, re.MULTILINE))


def test_the_image_holds_every_app_and_no_tests() -> None:
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    folders = apps | {"config", "static", "templates"}
    assert copied() == folders | {"requirements.txt", "manage.py", "deploy/Procfile"}


def test_what_is_copied_is_sent_and_little_else() -> None:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    sent = {path for path in done.stdout.split("\0") if path and is_sent(path)}
    for part in copied():
        assert any(path == part or path.startswith(f"{part}/") for path in sent), part
    assert {path.split("/")[0] for path in sent} == {part.split("/")[0] for part in copied()}


@pytest.mark.parametrize(
    "path",
    [
        "deploy/secrets/secret_key",
        "deploy/nginx/tls/portal.key.pem",
        "var/secrets/secret_key",
        "var/ca/root.key.pem",
        ".git/config",
        ".env",
        ".venv/bin/python",
        "tests/conftest.py",
        "node_modules/axe-core/axe.js",
        "connect/__pycache__/apps.cpython-312.pyc",
        "kmp/views/__pycache__/store.cpython-312.pyc",
    ],
)
def test_what_is_nobodys_business_is_not_sent(path: str) -> None:
    assert not is_sent(path)


@pytest.mark.parametrize("path", ["connect/apps.py", "templates/connect/mail.html", "deploy/Procfile", "manage.py"])
def test_what_the_site_needs_is_sent(path: str) -> None:
    assert is_sent(path)


def test_it_is_made_in_two_stages_on_one_base_of_a_fixed_version() -> None:
    assert re.search(r"^ARG PYTHON=3\.12\.\d+-slim-bookworm$", DOCKERFILE, re.MULTILINE)
    assert [BUILD.splitlines()[0], FINAL.splitlines()[0]] == ["python:${PYTHON} AS build", "python:${PYTHON}"]
    assert "apt-get" not in FINAL
    assert "pip" not in FINAL
    assert re.findall(r"^COPY (.+)$", FINAL, re.MULTILINE) == ["--from=build /venv /venv", "--from=build /site /site"]


def test_libraries_are_the_pinned_ones_and_nothing_depends_on_the_hour() -> None:
    assert "--require-hashes" in BUILD
    assert "PIP_NO_CACHE_DIR=1" in BUILD
    assert "ARG SOURCE_DATE_EPOCH" in BUILD
    assert "--invalidation-mode unchecked-hash" in BUILD
    assert 'touch --no-dereference --date="@$SOURCE_DATE_EPOCH"' in BUILD
    assert "PYTHONDONTWRITEBYTECODE=1" in FINAL


def test_it_runs_as_the_user_of_compose_and_owns_only_the_state() -> None:
    compose = load()
    user = re.search(r"^USER (\S+)$", FINAL, re.MULTILINE)
    assert user is not None
    assert {user[1]} == {compose["services"][name]["user"] for name in ("web", "worker", "nginx")}
    owned = re.search(r"install --directory --owner 10001 --group 10001 --mode 0700 (.+)$", FINAL, re.MULTILINE)
    assert owned is not None
    mounts = {mount.split(":")[1] for mount in compose["services"]["prepare"]["volumes"]}
    assert set(owned[1].split()) == mounts | {"/state"}, "a new volume gets the owner of the folder that it hides"
    assert "VOLUME" not in FINAL, "it would be writable for everybody who names no volume"


def test_its_command_is_a_line_of_the_procfile() -> None:
    command = re.search(r"^CMD (.+)$", FINAL, re.MULTILINE)
    assert command is not None
    *start, name = json.loads(command[1])
    assert start == ["python", "-m", "config.run.process"]
    assert name in process.commands()
