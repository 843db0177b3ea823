"""Become one process of the production site: `python -m config.run.process web`.

The lines stand in `deploy/Procfile`, one for containers and for a stack without them. How many, and where they listen,
comes from the environment.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from honcho.environ import parse_procfile

BASE_DIR = Path(__file__).resolve().parent.parent.parent
PROCFILE = BASE_DIR / "deploy" / "Procfile"


def commands() -> dict[str, str]:
    """The lines of `deploy/Procfile`: name and shell command."""
    procfile = parse_procfile(PROCFILE.read_text(encoding="utf-8"))
    return {str(name): str(command) for name, command in procfile.processes.items()}


def become(command: str) -> NoReturn:
    """Take the place of this process; this virtual environment's programs come first, whoever started us."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.chdir(BASE_DIR)
    os.execve("/bin/sh", ["sh", "-c", f"exec {command}"], dict(os.environ) | {"PATH": path})  # noqa: S606  a line of our own


def main(arguments: list[str]) -> int:
    """Become the named process; it returns only where there is none of this name."""
    known = commands()
    if len(arguments) == 1 and arguments[0] in known:
        become(known[arguments[0]])
    print(f"Name one of {', '.join(known)}: python -m config.run.process web", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
