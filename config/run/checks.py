"""What must hold before the site starts. Each failure is a `Refusal`: one sentence and what to do."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO

# What each variable is when nobody has set it.
DEFAULTS = {"PORT": 8000, "GATEWAY_PORT": 8443, "GATEWAY_PROD_PORT": 8444}


class Refusal(Exception):
    """The site cannot be started; the message is a sentence for the person who tried."""


def make_state_directory(directory: Path) -> None:
    """Make the state directory and see that it can be written. It holds keys: other users get no access.

    Raises:
        Refusal: it cannot be made or written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (directory / "redis").mkdir(exist_ok=True, mode=0o700)
        probe = directory / f".writable.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Refusal(
            f"The state directory {directory} cannot be written ({error.strerror}). "
            "Make it writable, or name another one: STATE_DIR=/path/to/directory make run"
        ) from error


def lock_state_directory(directory: Path) -> IO[str]:
    """Take the state directory for this run. The lock lasts as long as the returned file is open.

    Raises:
        Refusal: another run has it.
    """
    file = open(directory / "run.lock", "a+", encoding="ascii")  # noqa: SIM115  it stays open for the whole run
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise Refusal(
            f"Another run uses the state directory {directory}. "
            "End that one first, or give this one a directory and a port of its own: "
            "STATE_DIR=/path/to/directory PORT=8001 GATEWAY_PORT=9443 make run"
        ) from error
    return file


def make_socket_directory(directory: Path) -> None:
    """Make the directory of the Unix sockets, which lies where every user may write.

    Raises:
        Refusal: something by that name is there that is not our own directory with mode 0700.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        found = directory.lstat()  # Of the name itself: a link laid there by somebody else is not followed.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != 0o700:
            raise Refusal(
                f"{directory} is needed for sockets, but it is not a directory of yours that only you may enter. "
                "Remove it, or name another temporary directory: TMPDIR=/path/to/directory make run"
            ) from None
    except OSError as error:
        raise Refusal(
            f"{directory} cannot be made ({error.strerror}). "
            "Name another temporary directory: TMPDIR=/path/to/directory make run"
        ) from error
    if len(os.fsencode(directory / "redis.sock")) > 107:
        raise Refusal(
            f"{directory} is too long a name for a directory of Unix sockets. "
            "Name a shorter temporary directory: TMPDIR=/tmp make run"
        )


def check_different(ports: Mapping[str, int]) -> None:
    """See that each server has a port of its own. The names are those of the variables that choose them.

    Raises:
        Refusal: two of them are the same.
    """
    names: dict[int, str] = {}
    for name, port in ports.items():
        if port in names:
            raise Refusal(f"{names[port]} and {name} are both {port}. Give each a port of its own.")
        names[port] = name


def check_port(port: int, *, name: str = "PORT", address: str = "127.0.0.1") -> None:
    """See that a server will get its port; ``name`` is the variable that chooses another.

    Raises:
        Refusal: another program listens there, or the system does not let us.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of an earlier run that are still fading away do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError as error:
            raise Refusal(
                f"Port {port} is kept for the system. Take another: {name}={DEFAULTS[name]} make run"
            ) from error
        except OSError as error:
            other = port + 1 if port < 65535 else DEFAULTS[name]
            raise Refusal(
                f"Port {port} is in use by another program. End that one, or take another port: {name}={other} make run"
            ) from error
