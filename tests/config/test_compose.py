"""The compose file: its services, what they are started with, and that the site understands their environment.

`docker compose config` checks it, too, where Docker's compose is at hand.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.config.conftest import ROOT, clean_environment, run_python

SITE = {"prepare", "web", "worker", "beat"}
VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
PRINT = """
import json
from config import env, settings
print(json.dumps([
    env.DEMO, env.DATABASE_URL, env.REDIS_URL, env.EMBEDDED_REDIS,
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.HAS_MAILBOX, settings.SITE_URL,
]))
"""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def environment_of(service: dict[str, Any], **given: str) -> dict[str, str]:
    """What compose would hand to the service: its defaults, unless a variable is given."""
    return {
        name: VARIABLE.sub(lambda match: given.get(match[1]) or match[2], str(value))
        for name, value in service["environment"].items()
    }


def test_every_part_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SITE | {"database", "redis", "mail"}
    assert set(compose["volumes"]) == {"database", "redis", "state"}


def test_the_site_is_one_image_and_starts_once_its_servers_are_ready(compose: dict[str, Any]) -> None:
    for name in SITE:
        service = compose["services"][name]
        assert service["build"] == "."
        assert "state:/state" in service["volumes"]
        waits_for = {needed: how["condition"] for needed, how in service["depends_on"].items()}
        assert waits_for["database"] == waits_for["redis"] == "service_healthy"
        assert (waits_for.get("prepare") == "service_completed_successfully") == (name != "prepare")
    for name in ("database", "redis", "web"):
        assert compose["services"][name]["healthcheck"]["test"]


def test_what_is_reached_from_outside_is_bound_to_loopback(compose: dict[str, Any]) -> None:
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert all(port.startswith("127.0.0.1:") for found in ports.values() for port in found)
    assert {name for name, found in ports.items() if found} == {"web", "mail"}


def test_the_site_understands_the_environment_of_each_service(compose: dict[str, Any], tmp_path: Path) -> None:
    for name in SITE:
        given = environment_of(compose["services"][name])
        done = run_python("-c", PRINT, environment=clean_environment(**given, STATE_DIR=str(tmp_path)))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [
            True,
            "postgresql://site:rehearsal@database/site",
            "redis://redis:6379/0",
            False,
            "mail",
            1025,
            False,
            "http://localhost:8000",
        ]


def test_production_with_compose_refuses_to_start_without_its_secrets(compose: dict[str, Any], tmp_path: Path) -> None:
    given = environment_of(compose["services"]["web"], MODE="production", SITE_URL="https://portal.bank.test")
    done = run_python("-c", PRINT, environment=clean_environment(**given, STATE_DIR=str(tmp_path)))
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_commands_are_those_of_the_procfile(compose: dict[str, Any]) -> None:
    procfile = (ROOT / "Procfile").read_text()
    for name in ("worker", "beat"):
        words = compose["services"][name]["command"]
        assert words[:3] == ["celery", "--app", "config"]
        assert f"--app config {words[3]} --loglevel WARNING" in procfile
    image = (ROOT / "Dockerfile").read_text()
    for option in ("--interface", "--blocking-threads", "--no-ws", "config.wsgi:application"):
        assert option in procfile
        assert f'"{option}"' in image


def test_the_image_holds_every_app_and_no_tests() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert copied == apps | {"config", "static", "templates"}
    allowed = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert copied <= allowed
    assert "tests" not in allowed


def test_preparation_says_what_is_wrong(tmp_path: Path) -> None:
    environment = clean_environment(
        STATE_DIR=str(tmp_path), DATABASE_URL="postgresql://127.0.0.1:1/none", REDIS_URL="redis://127.0.0.1:1/0"
    )
    done = run_python("-m", "config.run.prepare", environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("The site cannot be prepared: ")


def run_compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run docker compose on the project; no program counts as a failure."""
    docker = shutil.which("docker") or "false"
    return subprocess.run([docker, "compose", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


if run_compose("version").returncode == 0:

    def test_docker_compose_accepts_the_file() -> None:
        done = run_compose("config", "--quiet")
        assert done.returncode == 0, done.stderr
