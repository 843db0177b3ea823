"""Eight clients in a process of their own, so that they share no interpreter with whoever measures.

`python -m bench.load.clients` reads a task as JSON and writes how long each answer took, in seconds. A client keeps its
connection open and asks for the page again as soon as it has its answer.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.stack.layout import LOOPBACK

CLIENTS = 8
SECONDS = 60.0  # A hang guard: longer than nginx waits for the application.
BASE_DIR = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Task:
    """A page of a host, and who asks for it. Each client asks ``warm_up`` times before its answers count."""

    host: str
    port: int
    root: str
    cookie: str
    path: str
    holds: str
    requests: int
    warm_up: int
    clients: int = CLIENTS


def latencies(task: Task) -> list[float]:
    """How long each answer took, in seconds, over all clients.

    Raises:
        RuntimeError: an answer was not the page.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.load.clients"],
        cwd=BASE_DIR,
        input=json.dumps(asdict(task)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{task.path} cannot be measured: {done.stderr.strip()[-500:]}")
    found: list[float] = json.loads(done.stdout)
    return found


class _Connection(http.client.HTTPSConnection):
    """Connects to loopback whatever the host is called, and verifies its certificate by that name."""

    def __init__(self, task: Task) -> None:
        self._tls = ssl.create_default_context(cafile=task.root)
        super().__init__(task.host, task.port, timeout=SECONDS, context=self._tls)

    def connect(self) -> None:
        plain = socket.create_connection((LOOPBACK, self.port), timeout=SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _client(task: Task) -> list[float]:
    connection, spent = _Connection(task), []
    for number in range(task.warm_up + task.requests):
        begin = time.perf_counter()
        connection.request("GET", task.path, headers={"Cookie": task.cookie})
        answer = connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - begin
        if answer.status != http.client.OK or task.holds.encode() not in body:
            raise RuntimeError(f"{task.path} answered {answer.status} {answer.headers.get('Location', '')}")
        if number >= task.warm_up:
            spent.append(took)
    connection.close()
    return spent


def main() -> int:
    """Do the task that comes in, and write what was found."""
    task = Task(**json.load(sys.stdin))
    with ThreadPoolExecutor(task.clients) as pool:
        found = [seconds for one in pool.map(_client, [task] * task.clients) for seconds in one]
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
