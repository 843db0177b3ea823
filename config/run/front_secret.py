"""What nginx proves itself with to the endpoint, for stacks whose containers share nothing but a directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

NAME = "front_secret"
BYTES = 48


def keep(directory: Path) -> Path:
    """The file that holds the secret, made where there is none yet. Only its owner may read it.

    Raises:
        OSError: it cannot be written.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / NAME
    if path.exists():
        return path
    fresh = directory / f"{NAME}.{os.getpid()}"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(BYTES))
    fresh.replace(path)  # Whole, or not at all: a secret that was cut short would be believed for ever.
    return path
