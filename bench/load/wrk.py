"""wrk as the maker of load: where a server does next to nothing for an answer, a client in Python is the slower one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("wrk")
SCRIPT = Path(__file__).with_suffix(".lua")
MISSING = "wrk is not installed (apt-get install wrk)"
# What wrk takes to begin and to end, and more.
GUARD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Load:
    """Answers with a status below 400, how many of them in a second, and how long they took, in milliseconds."""

    answers: int
    rate: float
    p50: float
    p99: float


def load(ports: Sequence[int], requests: Sequence[bytes], *, connections: int, seconds: int) -> Load:
    """Ask servers on loopback, each by a wrk of its own with its share of the connections, at the same time.

    Each connection asks for the next of the requests as soon as it has its answer. The 50th and 99th percentiles are
    those of the server that was slower.

    Raises:
        RuntimeError: an answer was a refusal, a connection failed, or wrk is missing.
    """
    if PROGRAM is None:
        raise RuntimeError(MISSING)
    share = max(1, connections // len(ports))
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        for one in requests:
            file.write(b"%d\n%b" % (len(one), one))
        file.flush()
        command = [PROGRAM, "--threads", "1", "--connections", str(share), "--duration", f"{seconds}s", "--latency"]
        running = [
            subprocess.Popen(
                [*command, "--script", str(SCRIPT), f"http://127.0.0.1:{port}/"],
                env={**os.environ, "REQUESTS": file.name},
                stdout=subprocess.PIPE,
                text=True,
            )
            for port in ports
        ]
        found = [_read(one.communicate(timeout=seconds + GUARD_SECONDS)[0]) for one in running]
    return Load(
        sum(one["answers"] for one in found),
        sum(one["answers"] / one["microseconds"] * 1_000_000 for one in found),
        max(one["p50"] for one in found) / 1000,
        max(one["p99"] for one in found) / 1000,
    )


def _read(said: str) -> dict[str, int]:
    last = said.rstrip().rpartition("\n")[2]
    if not last.startswith("{"):
        raise RuntimeError(f"wrk did not come to its end: {said}")
    found: dict[str, int] = json.loads(last)
    if not found["answers"] or found["refused"] or found["failed"]:
        raise RuntimeError(f"wrk met refusals or failures: {last}")
    return found
