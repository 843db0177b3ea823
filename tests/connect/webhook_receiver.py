"""A receiver of webhooks on this machine, good or bad, and what it got."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

GUARD_SECONDS = 60

Behaviour = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. Names of headers are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass(slots=True)
class Receiver:
    """Where it listens and what it got. ``behaviours`` answer the requests in turn; the last one goes on."""

    port: int
    scheme: str
    behaviours: list[Behaviour]
    received: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    is_listening: bool = True

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def take(self, connection: socket.socket) -> None:
        if self.is_listening:
            self.received.append(self._read(connection))
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        behaviour(connection, self.over)

    def _read(self, connection: socket.socket) -> Received:
        with connection.makefile("rb") as reader:
            line = reader.readline().decode("latin-1").strip()
            headers = {}
            while text := reader.readline().decode("latin-1").strip():
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            return Received(line, headers, reader.read(int(headers.get("content-length", 0))))


@contextmanager
def receiving(
    *behaviours: Behaviour,
    tls: tuple[str, str] | None = None,
    address: str = "127.0.0.1",
    port: int = 0,
    is_listening: bool = True,
) -> Iterator[Receiver]:
    """A receiver until the block ends. ``tls`` names the files of its certificate and key.

    One that is not listening answers without having read a request.
    """
    server = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    receiver = Receiver(server.getsockname()[1], "https" if tls else "http", list(behaviours) or [answer(200)])
    receiver.is_listening = is_listening
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        connection.settimeout(GUARD_SECONDS)
        with suppress(OSError), connection, _spoken(connection, context) as spoken:
            receiver.take(spoken)

    def accept() -> None:
        while not receiver.over.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        for thread in (acceptor, *threads):
            thread.join(GUARD_SECONDS)


def _spoken(connection: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    return context.wrap_socket(connection, server_side=True) if context else connection


def answer(status: int, body: bytes = b"thanks", **headers: str) -> Behaviour:
    """An answer as it should be."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return behave


def raw(text: bytes) -> Behaviour:
    """Exactly these bytes, and the end."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(text)

    return behave


def silent(connection: socket.socket, over: threading.Event) -> None:
    """No answer."""
    over.wait(GUARD_SECONDS)


def dripping(before: bytes, drop: bytes, after: bytes) -> Behaviour:
    """The answer in drops, each long before any timeout of a single read, and an end that comes too late."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(before)
        for _ in range(100):
            if over.wait(0.05):
                return
            connection.sendall(drop)
        connection.sendall(after)

    return behave


def endless(before: bytes, piece: bytes) -> Behaviour:
    """An answer without end, as fast as it is read."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(before)
        while not over.is_set():
            connection.sendall(piece)

    return behave
