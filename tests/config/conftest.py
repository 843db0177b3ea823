"""What the tests of the launcher and of the settings share: programs that run apart from the test's own process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The run's own settings (tests/servers.py) are for the tests' process, not for a site that a test starts.
SETTINGS = (
    *("MODE", "STATE_DIR", "REDIS_URL", "DATABASE_URL", "LOG_LEVEL", "DJANGO_SETTINGS_MODULE", "PORT", "PYTHON"),
    *("GATEWAY_PORT", "GATEWAY_PROD_PORT", "GATEWAY_URL", "GATEWAY_PROD_URL", "GATEWAY_BIND", "GATEWAY_TLS12"),
)


def clean_environment(**variables: str) -> dict[str, str]:
    """The machine's environment without any setting of ours but the given ones."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS} | variables


def run_python(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run this Python on the project with exactly this environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
