"""Private keys in bodies without a length, to the site's real web server: Django itself would not see such a body."""

from __future__ import annotations

import http.client
import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from tests.hostile.secrets_made import KEYSTORES, SECRETS
from tests.processes import ROOT, site_environment

START_SECONDS = 60
END_SECONDS = 30
FORM = "application/x-www-form-urlencoded"
ADDRESSES = ["/accounts/login/", "/clinic/", "/healthz", "/admin/", "/nowhere/"]


@dataclass(frozen=True, slots=True)
class Server:
    """The web server, and the file to which it writes its log."""

    port: int
    log: Path

    def send(self, method: str, address: str, body: bytes, *, content_type: str = FORM) -> tuple[int, str]:
        """The status and the text that answer a body sent in two pieces."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=END_SECONDS)
        pieces, headers = iter([body[:50], body[50:]]), {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
        try:
            connection.request(method, address, filter(None, pieces), headers, encode_chunked=True)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    """Granian, as in the Procfile, on this test's database and Redis."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = tmp_path / "web.log"
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *options, "config.wsgi:application"],
            cwd=ROOT,
            env={**site_environment(), "SIGNS": "false", "LOG_LEVEL": "DEBUG", "PYTHONWARNINGS": ""},
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


def test_a_body_without_a_length_is_refused_with_or_without_a_private_key(server: Server) -> None:
    wrong = []
    combinations = itertools.product(["POST", "PUT", "GET"], ADDRESSES, [FORM, "application/json"])
    for (method, address, kind), secret in zip(combinations, itertools.cycle([*SECRETS, *KEYSTORES]), strict=False):
        status, text = server.send(method, address, secret.content, content_type=kind)
        if status != 400 or PRIVATE_KEY_MESSAGE not in text:
            wrong.append(f"{method} {address} {kind} {secret.name}: {status}")
    assert not wrong, "\n".join(wrong)
    log = server.log.read_bytes()
    assert b"A private key was sent and refused: POST /accounts/login/" in log
    assert not any(trace in log for secret in [*SECRETS, *KEYSTORES] for trace in secret.traces)

    status, text = server.send("POST", "/accounts/login/", b"login=alice%40acme.example&password=wrong&remember=on")
    assert status == 400
    assert PRIVATE_KEY_MESSAGE not in text
    assert "not a well-formed request" in text
