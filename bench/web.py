"""A web server under load: granian as the site runs it, and a client that asks for nothing but the next answer."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
CONNECTIONS = 8
_LENGTH = b"content-length:"


@contextmanager
def served(application: str, *, port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Serve a WSGI application with two workers of four threads, as the Procfile does."""
    program = str(Path(sys.executable).with_name("granian"))
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(
        [program, *options, "--blocking-threads", "4", "--no-ws", "--log-level", "error", application],
        env=dict(environment),
    )
    try:
        _wait(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def http_request(method: str, path: str, body: bytes = b"", *, host: str = "127.0.0.1") -> bytes:
    """The octets of one request on a connection that stays open."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
    if body:
        head += f"Content-Type: application/ocsp-request\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def answers_per_second(port: int, requests: Sequence[bytes], *, seconds: float) -> float:
    """How many answers come back over eight connections, each of which asks again as soon as it has its answer.

    Raises RuntimeError for an answer with another status than 200.
    """
    poll = select.epoll()
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    by_descriptor = {one.fileno(): one for one in sockets}
    arrived = dict.fromkeys(by_descriptor, b"")
    count = sent = 0
    for one in sockets:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(one.fileno(), select.EPOLLIN)
        one.sendall(requests[sent % len(requests)])
        sent += 1
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for descriptor, _ in poll.poll():
            data = arrived[descriptor] + by_descriptor[descriptor].recv(65536)
            if not _is_whole(data):
                arrived[descriptor] = data
                continue
            arrived[descriptor] = b""
            count += 1
            by_descriptor[descriptor].sendall(requests[sent % len(requests)])
            sent += 1
    spent = time.perf_counter() - start
    for one in sockets:
        one.close()
    poll.close()
    return count / spent


def _is_whole(data: bytes) -> bool:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if not data:
            raise RuntimeError("The server closed the connection")
        return False
    if not data.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"The server answered {data[:100]!r}")
    begin = data.lower().index(_LENGTH) + len(_LENGTH)
    return len(data) >= end + 4 + int(data[begin : data.index(b"\r", begin)])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    last_moment = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/").close()
        except urllib.error.HTTPError as error:
            error.close()
            return  # Whatever it answers, it does.
        except OSError:
            if process.poll() is not None or time.monotonic() > last_moment:
                raise
            time.sleep(0.05)
        else:
            return
