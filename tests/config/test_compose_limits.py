"""What a service of the compose file may do: no root, no capability, and so much of the machine and no more."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.config import compose_file
from tests.config.compose_file import SERVERS, SITE, filled
from tests.config.conftest import ROOT

# What each may write to, beside memory.
WRITABLE = {
    "secrets": {"/secrets"},
    "database": {"/var/lib/postgresql/data"},
    "redis": {"/data"},
    "prepare": {"/state/ca", "/state/static", "/state/gateway"},
    "web": {"/state/ca"},
    "worker": {"/state/ca", "/state/gateway"},
    "gateway": set(),
    "beat": set(),
    "nginx": set(),
    "mail": set(),
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return compose_file.load()


def test_every_service_is_confined(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"}, name


def test_nobody_is_root(compose: dict[str, Any]) -> None:
    for name in SITE | SERVERS:
        user, group = compose["services"][name]["user"].split(":")
        assert int(user) > 0 < int(group), name
    assert "user" not in compose["services"]["secrets"], "it is whoever calls it"
    assert 'run --rm --user "$(id -u):$(id -g)" secrets' in (ROOT / "docker-compose.yml").read_text()


def test_every_service_has_its_limits(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert re.fullmatch(r"\d+[mg]", filled(limits["memory"])), name
        # No more than one: Docker refuses more than the machine has.
        assert 0 < float(filled(limits["cpus"])) <= 1, name
        assert 0 < limits["pids"] <= 256, name


def test_memory_that_is_written_to_is_less_than_what_there_is(compose: dict[str, Any]) -> None:
    """Files in memory count as memory: a full one must not end the service."""
    for name, service in compose["services"].items():
        sizes = [re.search(r"size=(\d+)m", place) for place in service.get("tmpfs", [])]
        assert all(sizes), name
        memory = filled(service["deploy"]["resources"]["limits"]["memory"])
        whole = int(memory[:-1]) * {"m": 1, "g": 1024}[memory[-1]]
        assert sum(int(size[1]) for size in sizes if size) <= whole * 3 / 4, name


def test_each_may_write_to_its_own_volumes_alone(compose: dict[str, Any]) -> None:
    found = {
        name: {filled(mount).split(":")[1] for mount in service.get("volumes", []) if not mount.endswith(":ro")}
        for name, service in compose["services"].items()
    }
    assert found == WRITABLE


def test_what_is_written_in_memory_belongs_to_the_user(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for place in service.get("tmpfs", []):
            user, group = service["user"].split(":")
            assert f"uid={user},gid={group},mode=0700," in place, name


def test_images_are_of_one_version(compose: dict[str, Any]) -> None:
    for name in SERVERS:
        assert re.search(r":v?\d+\.\d+", compose["services"][name]["image"]), name
    for name in SITE | {"secrets"}:
        assert (compose["services"][name]["build"], compose["services"][name]["image"]) == (".", "mtls-rehearsal")
