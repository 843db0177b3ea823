"""The site's real web server beside a test, on the test's own database and Redis."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT, site_environment

START_SECONDS = 60
END_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Server:
    """The web server, and the file to which it writes its log."""

    port: int
    log: Path

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, str]:
        """The answer to one request, and its text."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=END_SECONDS)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()


@contextmanager
def web_server(said: Path, *options: str, **environment: str) -> Iterator[Server]:
    """Granian as in the Procfile, for as long as the block lasts; ``said`` is its log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws", *options]
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *given, "config.wsgi:application"],
            cwd=ROOT,
            env={**site_environment(), "PYTHONWARNINGS": "", **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(process, port, said)
            yield Server(port, said)
        finally:
            process.terminate()
            process.wait(END_SECONDS)


def _wait(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    last_moment = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > last_moment:
                raise RuntimeError(f"The web server did not start. It said: {said.read_text()}") from None
            time.sleep(0.05)
