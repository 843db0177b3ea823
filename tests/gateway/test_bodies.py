"""Bodies of requests at the endpoint's server: as much as it takes, and not an octet more in its memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.gateway.tiny_server import TinyServer, running
from tests.gateway.tls_client import connect, context, get, read_response, read_to_end, request

MIB = 1024 * 1024


def chunked(total: int, *, size: int = 64 * 1024) -> Iterator[bytes]:
    piece = b"%x\r\n" % size + b"a" * size + b"\r\n"
    for _ in range(total // size):
        yield piece
    yield b"0\r\n\r\n"


def test_a_body_of_one_mebibyte_is_taken_either_way(tiny_server: TinyServer) -> None:
    with connect(tiny_server.port, context(tiny_server.ca_file)) as connection:
        connection.sendall(request("/", method="POST", body=b"a" * MIB))
        assert read_response(connection).json["received"] == MIB
        connection.sendall(request("/", method="POST", headers="Transfer-Encoding: chunked\r\n"))
        connection.sendall(b"".join(chunked(MIB)))
        answer = read_response(connection).json
        assert (answer["received"], answer["content_length"]) == (MIB, str(MIB))
        assert "HTTP_TRANSFER_ENCODING" not in answer["headers"]


@pytest.mark.parametrize(
    "head", ["Content-Length: 104857600\r\n", "Transfer-Encoding: chunked\r\n"], ids=["length", "chunks"]
)
def test_a_body_of_100_mb_is_refused_and_fills_no_memory(tiny_server: TinyServer, head: str) -> None:
    process = psutil.Process(tiny_server.process.pid)
    before = process.memory_info().rss
    with connect(tiny_server.port, context(tiny_server.ca_file)) as greedy:
        greedy.sendall(request("/", method="POST", headers=head))
        sent = 0
        try:
            for piece in chunked(100 * MIB):
                greedy.sendall(piece)
                sent += len(piece)
        except OSError:
            assert sent < 100 * MIB  # It had its answer, and then the connection was ended.
    assert process.memory_info().rss - before < 40 * MIB
    assert get(tiny_server.port, context(tiny_server.ca_file)).status == 200


@pytest.mark.parametrize(
    "head", ["Content-Length: 104857600\r\n", "Transfer-Encoding: chunked\r\n"], ids=["length", "chunks"]
)
def test_a_body_that_is_too_large_is_answered_with_413(tiny_server: TinyServer, head: str) -> None:
    with connect(tiny_server.port, context(tiny_server.ca_file)) as greedy:
        greedy.sendall(request("/", method="POST", headers=head))
        if "chunked" in head:
            greedy.sendall(b"".join(chunked(2 * MIB))[: 1200 * 1024])
        answer = read_response(greedy)
        assert (answer.status, answer.code, answer.headers["connection"]) == (413, "REQUEST_TOO_LARGE", "close")
        assert read_to_end(greedy) == b""


def test_who_asks_first_is_told_before_it_sends(tiny_server: TinyServer) -> None:
    with connect(tiny_server.port, context(tiny_server.ca_file)) as polite:
        expects = "Expect: 100-continue\r\n"
        polite.sendall(request("/", method="POST", headers=f"{expects}Content-Length: 5\r\n"))
        assert polite.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        polite.sendall(b"hello")
        assert read_response(polite).json["received"] == 5
        polite.sendall(request("/", method="POST", headers=f"{expects}Content-Length: 104857600\r\n"))
        assert read_response(polite).status == 413


def test_bodies_together_take_no_more_memory_than_they_may(tmp_path: Path) -> None:
    with running(tmp_path, limits={"all_bodies_octets": 3 * MIB}) as server, ExitStack() as stack:
        tls = context(server.ca_file)
        waiting = [stack.enter_context(connect(server.port, tls)) for _ in range(3)]
        for one in waiting:
            one.sendall(request("/", method="POST", body=b"a" * MIB)[:-1])
        last = stack.enter_context(connect(server.port, tls))
        # Those of the three have arrived once a fourth is refused.
        end = time.monotonic() + 60
        while True:
            last.sendall(request("/", method="POST", body=b"four"))
            answer = read_response(last)
            if answer.status == 503:
                break
            assert time.monotonic() < end
        assert answer.code == "GATEWAY_BUSY"
        for one in waiting:
            one.sendall(b"a")
            assert read_response(one).json["received"] == MIB
        with connect(server.port, tls) as again:
            again.sendall(request("/", method="POST", body=b"a" * MIB))
            assert read_response(again).json["received"] == MIB
