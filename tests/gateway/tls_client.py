"""A plain TLS client for the endpoint's tests: one connection, octets in, octets out, nothing clever."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 40


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: its status, headers by lower-case name, and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The ReasonCode of the error envelope."""
        return str(self.json["Errors"]["Error"][0]["ReasonCode"])

    @property
    def reason(self) -> str:
        """The first ReasonCode, of a verdict or of an error."""
        found = self.json
        return str(found["verdict"]["reasonCode"]) if "verdict" in found else self.code


def context(
    trusted: Path, *, certificate: Path | None = None, version: ssl.TLSVersion | None = None, level: int | None = None
) -> ssl.SSLContext:
    """A client that trusts this file, and shows this certificate, whose key is in the same file."""
    found = ssl.create_default_context(cafile=str(trusted))
    if level is not None:
        found.set_ciphers(f"DEFAULT:@SECLEVEL={level}")
    if certificate is not None:
        found.load_cert_chain(certificate)
    if version is not None:
        found.minimum_version = found.maximum_version = version
    return found


def connect(port: int, tls: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    """A connection whose handshake is done."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    try:
        return tls.wrap_socket(plain, server_hostname="localhost", session=session)
    except BaseException:
        plain.close()
        raise


def get(port: int, tls: ssl.SSLContext, path: str = "/") -> Response:
    """One GET on a connection of its own."""
    with connect(port, tls) as connection:
        connection.sendall(request(path))
        return read_response(connection)


def request(path: str = "/", *, method: str = "GET", headers: str = "", body: bytes = b"") -> bytes:
    """The octets of a request; with a body its length is told."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n".encode() + body


def read_response(connection: ssl.SSLSocket | socket.socket) -> Response:
    """The next response on a connection. Raises AssertionError where the connection ends before it is whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection, data)
    head, _, body = data.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert "transfer-encoding" not in headers, "the endpoint tells the length of what it answers"
    while len(body) < int(headers.get("content-length", 0)):
        body += _some(connection, data)
    return Response(int(status_line.split()[1]), headers, body)


def read_to_end(connection: ssl.SSLSocket | socket.socket) -> bytes:
    """Everything until the server closes the connection, however it does."""
    data = b""
    while True:
        try:
            more = connection.recv(65536)
        except TimeoutError:
            raise AssertionError("the server left the connection open") from None
        except OSError:
            return data
        if not more:
            return data
        data += more


def _some(connection: ssl.SSLSocket | socket.socket, so_far: bytes) -> bytes:
    more = connection.recv(65536)
    assert more, f"the connection ended after {so_far[-200:]!r}"
    return more
