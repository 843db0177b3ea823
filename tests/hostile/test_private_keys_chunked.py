"""Private keys in bodies without a length, to the site's real web server: Django itself would not see such a body."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from tests.hostile.secrets_made import KEYSTORES, SECRETS
from tests.web_server import END_SECONDS, Server, web_server

FORM = "application/x-www-form-urlencoded"
ADDRESSES = ["/accounts/login/", "/clinic/", "/healthz", "/admin/", "/nowhere/"]


def send(server: Server, method: str, address: str, body: bytes, *, content_type: str = FORM) -> tuple[int, str]:
    """The status and the text that answer a body sent in two pieces."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=END_SECONDS)
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
    with web_server(tmp_path / "web.log", SIGNS="false", LOG_LEVEL="DEBUG") as started:
        yield started


def test_a_body_without_a_length_is_refused_with_or_without_a_private_key(server: Server) -> None:
    wrong = []
    combinations = itertools.product(["POST", "PUT", "GET"], ADDRESSES, [FORM, "application/json"])
    for (method, address, kind), secret in zip(combinations, itertools.cycle([*SECRETS, *KEYSTORES]), strict=False):
        status, text = send(server, method, address, secret.content, content_type=kind)
        if status != 400 or PRIVATE_KEY_MESSAGE not in text:
            wrong.append(f"{method} {address} {kind} {secret.name}: {status}")
    assert not wrong, "\n".join(wrong)
    log = server.log.read_bytes()
    assert b"A private key was sent and refused: POST /accounts/login/" in log
    assert not any(trace in log for secret in [*SECRETS, *KEYSTORES] for trace in secret.traces)

    status, text = send(server, "POST", "/accounts/login/", b"login=alice%40acme.example&password=wrong&remember=on")
    assert status == 400
    assert PRIVATE_KEY_MESSAGE not in text
    assert "not a well-formed request" in text
