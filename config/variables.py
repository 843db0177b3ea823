"""How a variable of the environment is read: as a text, a choice, a port and so on, from itself or from its file.

What cannot be read raises ``ImproperlyConfigured``, whose message says what to set.
"""

from __future__ import annotations

import os
import threading
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv

_env = FileAwareEnv(eager=True, strip_whitespace=True)


def text(name: str, default: str = "") -> str:
    """The variable's text without white space around it; one that is set to nothing counts as not set."""
    try:
        return str(_env.str(name, "")).strip() or default
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE does not name a file that can be read. Correct {name}_FILE."
        ) from error


def required(name: str, why: str) -> str:
    """The text of a variable that has no default; ``why`` is a sentence for whoever has not set it."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {why} Set {name}, or {name}_FILE to a file that holds it.")
    return value


def choice(name: str, choices: tuple[str, ...], default: str) -> str:
    """One of a few texts."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}. It must be one of: {', '.join(choices)}.")
    return value


def port(name: str, default: int) -> int:
    """The number of a TCP port."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise ImproperlyConfigured(f"{name} is {value!r}. It must be a whole number from 1 to 65535.")
    return int(value)


def number(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within limits."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit() and least <= int(value[:9]) <= most):
        raise ImproperlyConfigured(f"{name} is {value[:40]!r}. It must be a whole number from {least} to {most}.")
    return int(value)


def ip(name: str, default: str) -> str:
    """An IP address."""
    value = text(name, default)
    try:
        return str(ip_address(value))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {value!r}. It must be an IP address such as 127.0.0.1.") from error


def flag(name: str, default: bool) -> bool:
    """Yes or no."""
    value = text(name, str(default)).lower()
    if value in ("true", "1", "yes", "on"):
        return True
    if value in ("false", "0", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}. It must be true or false.")


def names(name: str, default: list[str]) -> list[str]:
    """Texts with commas between them."""
    return [part.strip() for part in text(name).split(",") if part.strip()] or default


def addresses(name: str, default: list[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """IP addresses or networks, with commas between them."""
    found = []
    for value in names(name, default):
        try:
            found.append(ip_network(value))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} names {value!r}, which is neither an IP address nor a network such as 10.0.0.0/24."
            ) from error
    return tuple(found)


def see_that_it_can_be_written(directory: Path, *, holds: str) -> None:
    """Make a directory that only its owner may enter, where it is missing, and try whether files can be made in it.

    Raises:
        ImproperlyConfigured: they cannot.
    """
    probe = directory / f".writable.{os.getpid()}.{threading.get_ident()}"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{directory} cannot be written ({error.strerror}), and it holds {holds}. Make it writable for the user "
            "that runs the site, or name another state directory: STATE_DIR=/path/to/directory."
        ) from error
