"""Which of several web servers nginx asks: the one that has the fewest requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.gateway import nginx_front
from tests.gateway.nginx_front import PATIENCE_SECONDS, PORTAL, SANDBOX, Front

SLOW = "/slow"


class Server(ThreadingHTTPServer):
    """Answers with its port; to ``SLOW`` not before the test lets it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.may_answer = threading.Event(), threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == SLOW:
            self.server.asked.set()
            self.server.may_answer.wait(PATIENCE_SECONDS)
        body = str(self.server.server_port).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing of it goes to the test's output."""


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.may_answer.set()
            server.shutdown()


@pytest.fixture
def two_servers(tmp_path: Path) -> Iterator[tuple[Front, tuple[Server, Server]]]:
    """nginx before two servers that are portal and endpoint at once."""
    behind = Front(tmp_path)
    behind.endpoint_directory.mkdir()
    nginx_front.certify(behind)
    folder = tmp_path / "front"
    folder.mkdir()
    with serving() as one, serving() as other:
        servers = " ".join(f"server 127.0.0.1:{server.server_port};" for server in (one, other))
        variables = {"NGINX_WEB_SERVERS": servers, "NGINX_GATEWAY_SERVERS": servers}
        with nginx_front.another_nginx(behind, folder, variables) as front:
            yield front, (one, other)


@pytest.mark.parametrize("host", [PORTAL, SANDBOX])
def test_whoever_is_busy_is_asked_nothing_more(two_servers: tuple[Front, tuple[Server, Server]], host: str) -> None:
    front, servers = two_servers
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(front.curl, host, SLOW)
        nginx_front.wait_until(lambda: any(server.asked.is_set() for server in servers))
        (busy,) = (server for server in servers if server.asked.is_set())
        (idle,) = (server for server in servers if server is not busy)
        answered = {front.curl(host, "/").body for _ in range(6)}
        busy.may_answer.set()
        assert slow.result().body == str(busy.server_port).encode()
    assert answered == {str(idle.server_port).encode()}
