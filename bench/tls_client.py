"""A client of the live endpoint: handshakes made in full, and requests on a connection that stays open.

It knows nothing of Django, so that more of it can run in processes of their own.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from bench.web import http_request

PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Target:
    """Where the endpoint is, by which name it is called, and PEM of the client's certificate, key and CA."""

    port: int
    host: str
    certificate: Path


@dataclass(frozen=True, slots=True)
class Spent:
    """How long each one took, and all together, in seconds."""

    each: list[float]
    together: float

    @property
    def rate(self) -> float:
        """How many there were in a second."""
        return len(self.each) / self.together


def context_with(certificate: Path) -> ssl.SSLContext:
    """TLS 1.3. It checks no server certificate: that would be the client's work, and the same for every server."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(certificate)
    return tls


def handshakes(target: Target, tls: ssl.SSLContext, *, seconds: float) -> Spent:
    """Connect, shake hands in full, ask once, close: over and over. Of each the handshake is timed."""
    sent, each, start = _question(target), [], time.perf_counter()
    while (began := time.perf_counter()) - start < seconds:
        with connect(target, tls) as connection:
            each.append(time.perf_counter() - began)
            connection.sendall(sent)  # In TLS 1.3 a server may still refuse after the client is done.
            read_answer(connection)
    return Spent(each, time.perf_counter() - start)


def requests(target: Target, tls: ssl.SSLContext, *, seconds: float) -> Spent:
    """One request after the other on one connection, and on the next where the server closes it in between."""
    sent, each, start = _question(target), [], time.perf_counter()
    connection = connect(target, tls)
    try:
        while (began := time.perf_counter()) - start < seconds:
            connection.sendall(sent)
            is_last = b"connection: close" in read_answer(connection)[0].lower()
            each.append(time.perf_counter() - began)
            if is_last:
                connection.close()
                connection = connect(target, tls)
    finally:
        connection.close()
    return Spent(each, time.perf_counter() - start)


def whoami(target: Target, tls: ssl.SSLContext) -> bytes:
    """The body of one answer."""
    with connect(target, tls) as connection:
        connection.sendall(_question(target))
        return read_answer(connection)[1]


def connect(target: Target, tls: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection after its handshake."""
    plain = socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(plain, server_hostname=target.host)


def read_answer(connection: ssl.SSLSocket) -> tuple[bytes, bytes]:
    """Head and body of a response with status 200. Raises RuntimeError for another one, or none."""
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"The server answered {data[:500]!r}")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection)
    return head, body


def _more(connection: ssl.SSLSocket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise RuntimeError("The server closed the connection")
    return received


def _question(target: Target) -> bytes:
    return http_request("GET", "/whoami", host=target.host)
