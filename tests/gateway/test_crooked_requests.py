"""Requests that are odd, too large, or meant to be read in two ways: what the endpoint's server makes of them."""

from __future__ import annotations

import pytest

from tests.gateway.tiny_server import TinyServer
from tests.gateway.tls_client import connect, context, get, read_response, read_to_end

# A body of chunks that is over after five octets, for whoever looks at the chunks.
CHUNKS = "\r\n0\r\n\r\n"
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
CROOKED = {
    "length and chunks": f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n{CHUNKS}G",
    "chunks and length": f"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n{CHUNKS}G",
    "two lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\nX: y\r\n\r\nhello!",
    "the same length twice": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "lengths in a list": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
    "a signed length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    "a negative length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello",
    "an endless length": f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {'9' * 5000}\r\n\r\nhello",
    "a length with an underscore": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\nhello",
    "a folded header": "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 5\r\n\r\n",
    "a folded encoding": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a folded first header": "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "a space before the colon": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello",
    "another encoding": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
    "an odd encoding": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "two encodings": "POST / HTTP/1.1\r\nHost: a\r\n" + "Transfer-Encoding: chunked\r\n" * 2 + CHUNKS,
    "chunks in 1.0": "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bad chunk": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk that is longer": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\nX: y\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a line feed in a header": "GET / HTTP/1.1\r\nHost: a\r\nX: y\nContent-Length: 5\r\n\r\n",
    "a NUL in a header": "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n",
    "a header without a colon": "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "HTTP/0.9": "GET /\r\n\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a space in the target": "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a bare word": "GET whoami HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT": "CONNECT localhost:443 HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("sent", CROOKED.values(), ids=CROOKED)
def test_what_two_programs_could_read_in_two_ways_is_400_and_the_end(tiny_server: TinyServer, sent: str) -> None:
    with connect(tiny_server.port, context(tiny_server.ca_file)) as crooked:
        crooked.sendall(sent.encode("latin-1") + SMUGGLED.encode())
        data = read_to_end(crooked)
    assert data.startswith(b"HTTP/1.1 400 "), data[:200]
    assert data.count(b"\r\n\r\n") == 1, "nothing more was answered"
    assert b"MALFORMED_REQUEST" in data


@pytest.mark.parametrize(
    "sent",
    [
        f"GET /{'a' * 17_000} HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\nX: {'a' * 17_000}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: a\r\n{'X: y' * 17_000}",
        "GET / HTTP/1.1\r\nHost: a\r\n" + "".join(f"X-{number}: y\r\n" for number in range(101)) + "\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n" + f"X: {'y' * 1000}\r\n" * 20 + "\r\n",
    ],
    ids=["target", "header", "endless header", "count", "together"],
)
def test_headers_have_limits(tiny_server: TinyServer, sent: str) -> None:
    with connect(tiny_server.port, context(tiny_server.ca_file)) as large:
        large.sendall(sent.encode())
        answer = read_response(large)
    assert (answer.status, answer.code) == (431, "REQUEST_HEADERS_TOO_LARGE")


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%20b/c?d=e&f", "/a b/c", "d=e&f"),
        ("https://localhost/whoami?x", "/whoami", "x"),
        ("HTTPS://elsewhere.example", "/", ""),
        ("//a/../b", "//a/../b", ""),
    ],
)
def test_targets_are_read_as_the_standard_says(tiny_server: TinyServer, target: str, path: str, query: str) -> None:
    answer = get(tiny_server.port, context(tiny_server.ca_file), target)
    assert (answer.json["path"], answer.json["query"]) == (path, query)
