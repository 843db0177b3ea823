"""A relay between a browser and the site that keeps every byte the browser sends, and can lose what it is told to."""

from __future__ import annotations

import re
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import cast
from urllib.parse import urlsplit

CHUNK = 65536
END_OF_HEAD = b"\r\n\r\n"


@dataclass(slots=True)
class Sent:
    """One request as the browser sent it. ``body`` is shorter than ``length`` while some of it is under way."""

    method: str
    target: str
    head: bytes
    length: int
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def fields(self) -> dict[str, bytes]:
        """The parts of a multipart body by name."""
        (kind,) = re.findall(rb"(?im)^content-type: (.*?)\r?$", self.head)
        message = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + self.body)
        parts = cast(list[Message], message.get_payload())
        return {
            str(part.get_param("name", header="content-disposition")): cast(bytes, part.get_payload(decode=True))
            for part in parts
        }


@dataclass(slots=True)
class Recorder:
    """The relay's address and what went through it.

    Requests whose first line contains ``lose`` never reach the site; answers to those whose first line contains
    ``hold`` never reach the browser. In both cases the browser is left waiting, as by a network that fails.
    """

    address: str = ""
    lose: str = ""
    hold: str = ""
    lost: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    _streams: list[bytearray] = field(default_factory=list)

    @property
    def octets(self) -> bytes:
        """All that the browser sent, connection after connection."""
        return b"\n".join(bytes(stream) for stream in self._streams)

    @property
    def requests(self) -> list[Sent]:
        """The requests, connection after connection."""
        return [sent for stream in self._streams for sent in _requests_in(bytes(stream))]

    def relay(self, browser: socket.socket, port: int) -> None:
        """Carry one connection's bytes both ways until either side ends it."""
        stream = bytearray()
        self._streams.append(stream)
        with browser, socket.create_connection(("localhost", port)) as site, selectors.DefaultSelector() as selector:
            selector.register(browser, selectors.EVENT_READ, site)
            selector.register(site, selectors.EVENT_READ, browser)
            is_lost = False
            while True:
                for ready, _ in selector.select():
                    source = browser if ready.fileobj is browser else site
                    data = source.recv(CHUNK)
                    if not data:
                        return
                    if source is browser:
                        stream += data
                        is_lost = is_lost or self._is_asked(self.lose, stream)
                    if is_lost:
                        # Not before its body is there: who waits for it reads what it held.
                        if _is_whole(stream):
                            self.lost.set()
                    elif source is site and self._is_asked(self.hold, stream):
                        self.held.set()
                    else:
                        ready.data.sendall(data)

    @staticmethod
    def _is_asked(word: str, stream: bytearray) -> bool:
        """Whether the connection's latest request is one of those that ``word`` names."""
        if not word:
            return False
        requests = _requests_in(bytes(stream))
        return bool(requests) and word in f"{requests[-1].method} {requests[-1].target}"


@contextmanager
def recording(site: str) -> Iterator[Recorder]:
    """Listen on a port of its own for what is meant for ``site``, until the block ends."""
    port = urlsplit(site).port
    assert port is not None
    recorder = Recorder()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        recorder.address = f"http://localhost:{listener.getsockname()[1]}"
        threading.Thread(target=_accept, args=(listener, recorder, port), daemon=True).start()
        yield recorder
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, recorder: Recorder, port: int) -> None:
    while True:
        try:
            browser, _ = listener.accept()
        except OSError:  # The listener was closed: the test is over.
            return
        threading.Thread(target=_relay_quietly, args=(recorder, browser, port), daemon=True).start()


def _relay_quietly(recorder: Recorder, browser: socket.socket, port: int) -> None:
    """A side that hangs up ends the connection and is no failure."""
    with suppress(ConnectionError, BrokenPipeError):
        recorder.relay(browser, port)


def _is_whole(stream: bytearray) -> bool:
    """Whether the connection's latest request has come to its end."""
    requests = _requests_in(bytes(stream))
    return bool(requests) and len(requests[-1].body) == requests[-1].length


def _requests_in(stream: bytes) -> list[Sent]:
    """Every request whose head is complete. A body of unknown length would hide what follows, so none is allowed."""
    found = []
    while END_OF_HEAD in stream:
        head, _, rest = stream.partition(END_OF_HEAD)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        assert "transfer-encoding" not in headers, "a browser sends bodies with their length"
        length = int(headers.get("content-length", "0"))
        found.append(Sent(method, target, head, length, rest[:length]))
        stream = rest[length:]
    return found
