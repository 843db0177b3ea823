"""The compose file: its services, their order, and that the site and nginx understand what they are started with.

`docker compose config` checks it, too, where Docker's compose is at hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from config.run import nginx, process
from tests.config import compose_file
from tests.config.compose_file import SERVERS, SITE, command_of, environment_here, environment_of, filled, waits_for
from tests.config.conftest import ROOT, clean_environment, run_python
from tests.tls_servers import server_certificate
from tools.stack.servers import DATABASE_SETTINGS

HOSTS = ("portal.localhost", "sandbox.localhost", "production.localhost")
PRINT = """
import json
from config import env, settings
print(json.dumps([
    env.DATABASE_URL.split("@")[1], env.REDIS_URL.split("@")[1], env.EMBEDDED_REDIS,
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.HAS_MAILBOX, settings.SITE_URL,
    settings.ALLOWED_HOSTS, settings.GATEWAY_URLS, settings.BEHIND_PROXY,
]))
"""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return compose_file.load()


def test_every_part_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SITE | SERVERS | {"secrets"}
    assert set(compose["volumes"]) == {"database", "redis", "ca", "static", "endpoint"}


def test_everything_waits_until_what_it_needs_is_ready(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for needed, condition in waits_for(service).items():
            assert condition == ("service_completed_successfully" if needed == "prepare" else "service_healthy"), name
            assert needed == "prepare" or compose["services"][needed]["healthcheck"]["test"], needed
    for name in SITE:
        assert waits_for(compose["services"][name]).keys() >= {"database", "redis"}
        assert ("prepare" in waits_for(compose["services"][name])) == (name != "prepare")
    for name in ("web", "worker"):
        assert "mail" in waits_for(compose["services"][name])
    assert set(waits_for(compose["services"]["nginx"])) == {"web", "gateway"}


def test_whatever_goes_on_has_a_health_check(compose: dict[str, Any]) -> None:
    ends = {name for name, service in compose["services"].items() if service["restart"] == "no"}
    assert ends == {"prepare", "secrets"}
    assert {name for name, service in compose["services"].items() if "healthcheck" not in service} == ends


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_the_health_check_of_a_worker_and_of_beat(compose: dict[str, Any], name: str, tmp_path: Path) -> None:
    service, heartbeat = compose["services"][name], tmp_path / "heartbeat"
    kind, text = service["healthcheck"]["test"]
    path = environment_of(service)["HEARTBEAT_FILE"]
    assert kind == "CMD-SHELL"
    assert any(path.startswith(f"{place.split(':')[0]}/") for place in service["tmpfs"])
    command = ["sh", "-c", filled(text).replace(path, str(heartbeat))]

    def is_well() -> bool:
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0

    assert not is_well(), "it never was at work"
    heartbeat.touch()
    assert is_well()
    os.utime(heartbeat, (time.time() - 200, time.time() - 200))
    assert not is_well(), "it has been silent"


def test_what_is_reached_from_outside_is_bound_to_loopback(compose: dict[str, Any]) -> None:
    ports = {name: list(map(filled, service.get("ports", []))) for name, service in compose["services"].items()}
    assert all(port.startswith("127.0.0.1:") for found in ports.values() for port in found)
    assert {name for name, found in ports.items() if found} == {"nginx", "mail"}


@pytest.mark.parametrize("mode", ["demo", "production"])
@pytest.mark.parametrize("name", sorted(SITE))
def test_the_site_understands_the_environment_of_each_service(
    compose: dict[str, Any], name: str, mode: str, tmp_path: Path
) -> None:
    given = environment_here(compose["services"][name], tmp_path / "secrets", MODE=mode)
    done = run_python("-c", PRINT, environment=clean_environment(**given))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        "database/site",
        "redis:6379/0",
        False,
        "mail",
        1025,
        False,
        "https://portal.localhost:8443",
        ["portal.localhost"],
        {"sandbox": "https://sandbox.localhost:8443", "production": "https://production.localhost:8443"},
        True,
    ]


def test_commands_are_those_of_the_procfile(compose: dict[str, Any]) -> None:
    """`deploy/Procfile` is their only place."""
    for name in SITE - {"prepare"}:
        assert command_of(compose["services"][name]) == ["python", "-m", "config.run.process", name]
        assert name in process.commands()
    assert command_of(compose["services"]["prepare"]) == ["python", "-m", "config.run.prepare"]
    for name in ("web", "gateway"):
        assert environment_of(compose["services"][name])["WEB_HOST"] == "0.0.0.0", "others than it itself ask it"


def test_the_database_has_the_settings_of_the_stack(compose: dict[str, Any]) -> None:
    command = command_of(compose["services"]["database"])
    assert command == ["postgres", *(part for setting in DATABASE_SETTINGS for part in ("-c", setting))]


def test_any_number_of_workers_and_of_beats_can_run(compose: dict[str, Any]) -> None:
    for name in ("worker", "beat"):
        assert not compose["services"][name].keys() & {"container_name", "hostname", "ports"}
        assert not any("beat" in volume for volume in compose["services"][name].get("volumes", []))
    assert '--hostname "${WORKER_NAME:-worker@%h}"' in process.commands()["worker"], "each is named by its container"


def test_a_worker_has_the_time_to_finish_a_task(compose: dict[str, Any]) -> None:
    from django.conf import settings  # noqa: PLC0415  the other tests here need none

    assert int(compose["services"]["worker"]["stop_grace_period"].rstrip("s")) > settings.CELERY_TASK_TIME_LIMIT


def test_the_endpoint_believes_nginx_alone(compose: dict[str, Any]) -> None:
    gateway, front = compose["services"]["gateway"], compose["services"]["nginx"]
    assert "volumes" not in gateway
    address = filled(front["networks"]["front"]["ipv4_address"])
    assert environment_of(gateway)["GATEWAY_FRONT_ADDRESSES"] == address
    (network,) = compose["networks"]["front"]["ipam"]["config"]
    assert ip_address(address) in ip_network(filled(network["subnet"]))
    assert ip_address(address) not in ip_network(filled(network["ip_range"]))  # So that nobody else gets it.
    assert ip_network(filled(network["ip_range"])).subnet_of(ip_network(filled(network["subnet"])))  # type: ignore[arg-type]  # both are IPv4
    for name in ("web", "gateway"):
        assert compose["services"][name]["networks"] == ["default", "front"]


def test_nginx_has_what_its_templates_name_and_little_else(compose: dict[str, Any]) -> None:
    service = compose["services"]["nginx"]
    assert list(service["networks"]) == ["front"]
    assert all(mount.endswith(":ro") for mount in service["volumes"])
    values = environment_of(service)
    assert values.pop("NGINX_ENVSUBST_OUTPUT_DIR") == str(Path(service["command"][-1]).parent)
    # The image fills in these alone, so that no variable of nginx's own is taken for one.
    assert values.pop("NGINX_ENVSUBST_FILTER") == "^NGINX_"
    assert values.pop("NGINX_FRONT_SECRET_FILE") == "/run/secrets/front_secret"
    assert set(values) | {"NGINX_FRONT_SECRET"} == set(nginx.VARIABLES)
    assert [values[f"NGINX_{name}_HOST"] for name in ("PORTAL", "SANDBOX", "PRODUCTION")] == list(HOSTS)
    assert values["NGINX_SITE_URL"] == environment_of(compose["services"]["web"])["SITE_URL"]


def test_nginx_accepts_what_the_image_would_make_of_the_templates(compose: dict[str, Any], tmp_path: Path) -> None:
    """Names of containers and paths are replaced by ones that this machine has."""
    values = environment_of(compose["services"]["nginx"])
    values |= {"NGINX_STATE_DIR": str(tmp_path / "nginx"), "NGINX_FRONT_SECRET": "f" * 64}
    for name in ("NGINX_WEB_SERVERS", "NGINX_GATEWAY_SERVERS"):
        values[name] = re.sub(r"server \w+:", "server 127.0.0.1:", values[name])
    certificate, key = server_certificate(tmp_path)
    values |= {f"NGINX_{who}_CERTIFICATE": str(certificate) for who in ("PORTAL", "ENDPOINT")}
    values |= {f"NGINX_{who}_KEY": str(key) for who in ("PORTAL", "ENDPOINT")}
    values |= {"NGINX_ACCESS_LOG": str(tmp_path / "access.log")}
    configuration = nginx.write(values, tmp_path / "conf")
    done = subprocess.run([*nginx.command(configuration), "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_secret_of_the_front_reaches_the_templates(tmp_path: Path) -> None:
    """By the script that the image's entrypoint reads (and reads only where it may be executed)."""
    script = ROOT / "deploy" / "nginx" / "10-before-templates.envsh"
    assert os.access(script, os.X_OK)
    secret = tmp_path / "front_secret"
    secret.write_text("f" * 64 + "\n")
    variables = {
        "NGINX_FRONT_SECRET_FILE": str(secret),
        "NGINX_ENVSUBST_OUTPUT_DIR": str(tmp_path / "conf"),
        "NGINX_STATE_DIR": str(tmp_path / "nginx"),
        "RELOAD_CHECK_SECONDS": "0.1",
        "PATH": os.defpath,
    }
    shell = ["sh", "-ec", f'. "{script}"; kill $!; printf %s "$NGINX_FRONT_SECRET"']
    done = subprocess.run(shell, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "f" * 64
    assert stat.S_IMODE((tmp_path / "conf").stat().st_mode) == 0o700
    without = subprocess.run(shell, env=variables | {"NGINX_FRONT_SECRET_FILE": "/none"}, check=False)
    assert without.returncode == 1


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

    @pytest.mark.parametrize("more", [[], ["deploy/compose.pkcs11.yml"]], ids=["alone", "with-a-token"])
    def test_docker_compose_accepts_the_files(more: list[str]) -> None:
        files = [part for name in ("docker-compose.yml", *more) for part in ("--file", name)]
        done = run_compose(*files, "config", "--quiet")
        assert done.returncode == 0, done.stderr
