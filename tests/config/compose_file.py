"""The compose file as a test reads it: variables filled in, and secrets where a test can have them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from config.run import secrets
from tests.config.conftest import ROOT

SIGNING = {"prepare", "web", "worker"}
SITE = SIGNING | {"gateway", "beat"}
SERVERS = {"database", "redis", "mail", "nginx"}
IN_CONTAINER = "/run/secrets/"
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+):-([^}]*)\}")

Service = dict[str, Any]


def load(name: str = "docker-compose.yml") -> dict[str, Any]:
    """The whole file, its anchors resolved."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return loaded


def laid_over(service: Service, above: Service) -> Service:
    """A service as two files together make it: mappings are joined, and lists are put one after the other."""
    joined = dict(service)
    for name, value in above.items():
        below = service.get(name, type(value)())
        joined[name] = below | value if isinstance(value, dict) else [*below, *value]
    return joined


def filled(text: object, **given: str) -> str:
    """A value of the file, with its variables as they are given or by default."""
    return _VARIABLE.sub(lambda match: given.get(match[1]) or match[2], str(text)).replace("$$", "$")


def environment_of(service: Service, **given: str) -> dict[str, str]:
    """What compose would hand to the service: its defaults, unless a variable is given."""
    return {name: filled(value, **given) for name, value in service.get("environment", {}).items()}


def environment_here(service: Service, directory: Path, **given: str) -> dict[str, str]:
    """The same, with the secrets made in this directory, and for a process on this machine."""
    secrets.make(directory)
    found = {
        name: value.replace(IN_CONTAINER, f"{directory}/") for name, value in environment_of(service, **given).items()
    }
    return found | {"STATE_DIR": str(directory.parent / "state")}


def command_of(service: Service) -> list[str]:
    return [filled(word) for word in service["command"]]


def waits_for(service: Service) -> dict[str, str]:
    """The services that must have come so far before this one starts."""
    return {needed: how["condition"] for needed, how in service.get("depends_on", {}).items()}
