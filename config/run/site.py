"""The processes of a running site and what they are given."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from config import env
from config.run.embedded_redis import server_program


def environment() -> dict[str, str]:
    """The environment of every process: what the `Procfile` names, and this virtual environment's programs first."""
    return dict(os.environ) | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PORT": str(env.PORT),
        "GATEWAY_PORT": str(env.GATEWAY_PORT),
        "GATEWAY_PROD_PORT": str(env.GATEWAY_PROD_PORT),
        "STATE_DIR": str(env.STATE_DIR),
        "REDIS_SERVER": server_program(),
        "REDIS_SOCKET": str(env.REDIS_SOCKET),
        "PYTHONUNBUFFERED": "1",
    }


def start() -> subprocess.Popen[bytes]:
    """Start all processes under one supervisor, in a session of its own: Ctrl-C reaches the launcher alone."""
    names = ["web", "gateway", "worker", "beat"] + (["redis"] if env.EMBEDDED_REDIS else [])
    return subprocess.Popen(
        [sys.executable, "-m", "config.run.supervise", *names],
        cwd=env.BASE_DIR,
        env=environment(),
        start_new_session=True,
    )
