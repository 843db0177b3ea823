"""The compose file: its services, what they are started with, and that the site understands their environment.

`docker compose config` checks it, too, where Docker's compose is at hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.run import front_secret, nginx, process
from tests.config.conftest import ROOT, clean_environment, run_python
from tests.tls_servers import server_certificate

STATEFUL = {"prepare", "web", "worker", "beat"}
SITE = {*STATEFUL, "gateway"}
HOSTS = ("portal.localhost", "sandbox.localhost", "production.localhost")
VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
PRINT = """
import json
from config import env, settings
print(json.dumps([
    env.DEMO, env.DATABASE_URL, env.REDIS_URL, env.EMBEDDED_REDIS,
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.HAS_MAILBOX, settings.SITE_URL,
    settings.ALLOWED_HOSTS, settings.GATEWAY_URLS, settings.BEHIND_PROXY,
]))
"""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def filled(text: object, **given: str) -> str:
    """A value of the file, with its variables as they are given or by default."""
    return VARIABLE.sub(lambda match: given.get(match[1]) or match[2], str(text))


def environment_of(service: dict[str, Any], **given: str) -> dict[str, str]:
    """What compose would hand to the service: its defaults, unless a variable is given."""
    return {name: filled(value, **given) for name, value in service["environment"].items()}


def test_every_part_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SITE | {"database", "redis", "mail", "nginx"}
    assert set(compose["volumes"]) == {"database", "redis", "state", "static", "endpoint"}


def test_the_site_is_one_image_and_starts_once_its_servers_are_ready(compose: dict[str, Any]) -> None:
    for name in SITE:
        service = compose["services"][name]
        assert service["build"] == "."
        assert ("state:/state" in service["volumes"]) == (name in STATEFUL)
        waits_for = {needed: how["condition"] for needed, how in service["depends_on"].items()}
        assert waits_for["database"] == waits_for["redis"] == "service_healthy"
        assert (waits_for.get("prepare") == "service_completed_successfully") == (name != "prepare")
    for name in ("database", "redis", "web", "gateway", "nginx"):
        assert compose["services"][name]["healthcheck"]["test"]


def test_what_is_reached_from_outside_is_bound_to_loopback(compose: dict[str, Any]) -> None:
    ports = {name: list(map(filled, service.get("ports", []))) for name, service in compose["services"].items()}
    assert all(port.startswith("127.0.0.1:") for found in ports.values() for port in found)
    assert {name for name, found in ports.items() if found} == {"nginx", "mail"}


def test_the_site_understands_the_environment_of_each_service(compose: dict[str, Any], tmp_path: Path) -> None:
    secret = tmp_path / "front_secret"
    secret.write_text("f" * 64)
    for name in SITE:
        given = environment_of(compose["services"][name])
        if name == "gateway":
            assert given.pop("GATEWAY_FRONT_SECRET_FILE") == "/state/gateway/front_secret"
            given["GATEWAY_FRONT_SECRET_FILE"] = str(secret)
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
            "https://portal.localhost:8443",
            ["portal.localhost"],
            {"sandbox": "https://sandbox.localhost:8443", "production": "https://production.localhost:8443"},
            True,
        ]


def test_production_with_compose_refuses_to_start_without_its_secrets(compose: dict[str, Any], tmp_path: Path) -> None:
    given = environment_of(compose["services"]["web"], MODE="production", SITE_URL="https://portal.bank.test")
    done = run_python("-c", PRINT, environment=clean_environment(**given, STATE_DIR=str(tmp_path)))
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_the_endpoint_has_no_key_of_a_ca_and_believes_nginx_alone(compose: dict[str, Any], tmp_path: Path) -> None:
    gateway, nginx = compose["services"]["gateway"], compose["services"]["nginx"]
    given = environment_of(gateway, CA_KEY_PASSPHRASE="a passphrase of somebody's own")
    assert (given["CA_KEY_PASSPHRASE"], given["SIGNS"]) == ("", "false")
    assert gateway["volumes"] == ["endpoint:/state/gateway:ro"]
    address = filled(nginx["networks"]["front"]["ipv4_address"])
    assert given["GATEWAY_FRONT_ADDRESSES"] == address
    (network,) = compose["networks"]["front"]["ipam"]["config"]
    assert ip_address(address) in ip_network(filled(network["subnet"]))
    assert ip_address(address) not in ip_network(filled(network["ip_range"]))  # So that nobody else gets it.
    assert ip_network(filled(network["ip_range"])).subnet_of(ip_network(filled(network["subnet"])))  # type: ignore[arg-type]  # both are IPv4
    for name in ("web", "gateway"):
        assert compose["services"][name]["networks"] == ["default", "front"]


def test_nginx_has_what_its_templates_name_and_little_else(compose: dict[str, Any]) -> None:
    service = compose["services"]["nginx"]
    assert re.fullmatch(r"nginx:\d+\.\d+\.\d+", service["image"])
    assert service["read_only"]
    assert service["user"] == "10001:10001"
    assert list(service["networks"]) == ["front"]
    assert all(mount.endswith(":ro") for mount in service["volumes"])
    assert not any(mount.startswith("state:") for mount in service["volumes"])
    values = environment_of(service)
    assert values.pop("NGINX_ENVSUBST_OUTPUT_DIR") == str(Path(service["command"][-1]).parent)
    # The image fills in these alone, so that no variable of nginx's own is taken for one.
    assert values.pop("NGINX_ENVSUBST_FILTER") == "^NGINX_"
    assert values.pop("NGINX_FRONT_SECRET_FILE") == "/endpoint/front_secret"
    assert set(values) | {"NGINX_FRONT_SECRET"} == set(nginx.VARIABLES)
    assert [values[f"NGINX_{name}_HOST"] for name in ("PORTAL", "SANDBOX", "PRODUCTION")] == list(HOSTS)
    assert values["NGINX_SITE_URL"] == environment_of(compose["services"]["web"])["SITE_URL"]


def test_nginx_accepts_what_the_image_would_make_of_the_templates(compose: dict[str, Any], tmp_path: Path) -> None:
    """Names of containers and paths are replaced by ones that this machine has."""
    values = environment_of(compose["services"]["nginx"])
    values |= {"NGINX_STATE_DIR": str(tmp_path / "nginx"), "NGINX_FRONT_SECRET": "f" * 64}
    values |= {"NGINX_WEB_SERVERS": "server 127.0.0.1:8000;", "NGINX_GATEWAY_SERVERS": "server 127.0.0.1:8001;"}
    certificate, key = server_certificate(tmp_path)
    values |= {f"NGINX_{who}_CERTIFICATE": str(certificate) for who in ("PORTAL", "ENDPOINT")}
    values |= {f"NGINX_{who}_KEY": str(key) for who in ("PORTAL", "ENDPOINT")}
    values |= {"NGINX_ACCESS_LOG": str(tmp_path / "access.log")}
    configuration = nginx.write(values, tmp_path / "conf")
    done = subprocess.run([*nginx.command(configuration), "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_secret_of_the_front_reaches_the_templates(compose: dict[str, Any], tmp_path: Path) -> None:
    """By the script that the image's entrypoint reads (and reads only where it may be executed)."""
    script = ROOT / "deploy" / "nginx" / "10-before-templates.envsh"
    assert os.access(script, os.X_OK)
    secret = front_secret.keep(tmp_path)
    variables = {
        "NGINX_FRONT_SECRET_FILE": str(secret),
        "NGINX_ENVSUBST_OUTPUT_DIR": str(tmp_path / "conf"),
        "NGINX_STATE_DIR": str(tmp_path / "nginx"),
    }
    shell = ["sh", "-ec", f'. "{script}"; printf %s "$NGINX_FRONT_SECRET"']
    done = subprocess.run(shell, env=variables | {"PATH": os.defpath}, capture_output=True, text=True, check=True)
    assert done.stdout == secret.read_text()
    assert stat.S_IMODE((tmp_path / "conf").stat().st_mode) == 0o700
    without = subprocess.run(
        shell, env=variables | {"PATH": os.defpath, "NGINX_FRONT_SECRET_FILE": "/none"}, check=False
    )
    assert without.returncode == 1


def test_the_secret_of_the_front_is_made_once(tmp_path: Path) -> None:
    path = front_secret.keep(tmp_path / "gateway")
    first = path.read_text()
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert front_secret.keep(tmp_path / "gateway").read_text() == first
    assert [file.name for file in path.parent.iterdir()] == ["front_secret"]


def test_commands_are_those_of_the_procfile(compose: dict[str, Any]) -> None:
    procfile = (ROOT / "Procfile").read_text()
    for name in ("worker", "beat"):
        words = compose["services"][name]["command"]
        assert words[:3] == ["celery", "--app", "config"]
        assert f"--app config {words[3]} --loglevel WARNING" in procfile
    assert compose["services"]["gateway"]["command"][-1] in process.commands()
    image = (ROOT / "Dockerfile").read_text()
    assert "COPY deploy/Procfile deploy/Procfile" in image
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
