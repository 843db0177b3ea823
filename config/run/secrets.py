"""Make the secrets of a site that runs in containers, each a file: `python -m config.run.secrets DIRECTORY`.

What is there stays as it is, so that it may be run again, and so that a file may be put there by hand before. The
containers run as users of their own, and a file comes to them with the mode that it has here: so the files can be read
by everybody, and the directory that they lie in be entered by its owner alone.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

BYTES = 48
DIRECTORY_MODE = 0o700
FILE_MODE = 0o444

# Secrets that stand for themselves.
RANDOM = ("secret_key", "ca_key_passphrase", "front_secret", "metrics_token", "database_password", "redis_password")
# Files that are made of another: its name, and how a text with a place for it is filled in.
MADE_OF: Mapping[str, tuple[str, str]] = {
    "database_url": ("database_password", "postgresql://site:{address}@database/site"),
    "redis_url": ("redis_password", "redis://:{address}@redis:6379/0"),
    "redis_conf": ("redis_password", 'requirepass "{quoted}"'),
}
# The mail server: that of compose, which keeps every mail to itself, until somebody writes another one here.
EMAIL_URL = ("email_url", "smtp://mail:1025")
FILES = (*RANDOM, *MADE_OF, EMAIL_URL[0])


def make(directory: Path) -> list[str]:
    """Make the files that are missing; their names.

    Raises:
        OSError: the directory or a file cannot be written.
    """
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    directory.chmod(DIRECTORY_MODE)
    missing = [name for name in FILES if not (directory / name).exists()]
    for name in missing:
        _keep(directory / name, _text_of(name, directory))
    return missing


def _text_of(name: str, directory: Path) -> str:
    if name == EMAIL_URL[0]:
        return EMAIL_URL[1]
    if name not in MADE_OF:
        return secrets.token_urlsafe(BYTES)
    source, text = MADE_OF[name]
    known = (directory / source).read_text(encoding="utf-8").strip()
    quoted = known.replace("\\", "\\\\").replace('"', '\\"')  # As redis.conf has it
    return text.format(address=quote(known, safe=""), quoted=quoted)


def _keep(path: Path, text: str) -> None:
    """The whole file, or none: one that was cut short would be believed for ever. One that is there already stays."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            os.fchmod(file.fileno(), FILE_MODE)
        os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """Make what is missing in the named directory, and say what was made; never what is in it."""
    if len(arguments) != 1:
        print("Name the directory: python -m config.run.secrets deploy/secrets", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    try:
        made = make(directory)
    except OSError as error:
        print(
            f"{directory} cannot be written ({error.strerror}). Run this as its owner, or name another.",
            file=sys.stderr,
        )
        return 1
    print(f"Made in {directory}: {', '.join(made)}." if made else f"Nothing is missing in {directory}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
