"""wrk sends what it is told, octet by octet, and no refusal is counted as an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.load import wrk
from bench.web import http_request

# Octets that a script, a line or a text could stumble over.
BODIES = [bytes(range(256)), b"\r\n\r\n\n17\n", b"\x00", "’".encode() * 700]


class Recorder(ThreadingHTTPServer):
    """Keeps what it was sent, and answers with one status."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.hosts, self.bodies = status, set[str](), list[bytes]()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_POST(self) -> None:
        self.server.hosts.add(self.headers["Host"])
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@contextmanager
def recorder(status: int = 200) -> Iterator[Recorder]:
    with Recorder(status) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def requests() -> list[bytes]:
    return [http_request("POST", "/ocsp/kmp", body, host="portal.test") for body in BODIES]


def test_every_request_arrives_as_it_is_and_answers_are_counted() -> None:
    with recorder() as one, recorder() as other:
        load = wrk.load([one.server_port, other.server_port], requests(), connections=4, seconds=1)
    for server in (one, other):
        assert set(server.bodies) == set(BODIES)
        assert server.hosts == {"portal.test"}
    assert 0 < load.answers <= len(one.bodies) + len(other.bodies)
    assert 0 < load.p50 <= load.p99
    assert load.rate > 0


def test_a_refusal_is_no_answer() -> None:
    with recorder(503) as server, pytest.raises(RuntimeError, match="refusals or failures"):
        wrk.load([server.server_port], requests(), connections=2, seconds=1)


def test_nobody_there_is_no_answer() -> None:
    with recorder() as server:
        port = server.server_port
    with pytest.raises(RuntimeError, match=r"wrk did not come to its end|refusals or failures"):
        wrk.load([port], requests(), connections=2, seconds=1)


def test_without_wrk_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrk, "PROGRAM", None)
    with pytest.raises(RuntimeError, match="apt-get install wrk"):
        wrk.load([1], requests(), connections=1, seconds=1)
