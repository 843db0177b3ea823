"""One message over HTTP: to an address that was judged, within a deadline, and reading a bounded answer.

The standard library's client, because what matters here is which socket it is given: no redirect, no proxy, no retry.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected

from connect.webhooks.addresses import Address, addresses_of
from connect.webhooks.destination import Destination
from connect.webhooks.errors import NotReached

SECONDS = 5.0
ANSWER_BYTES = 64 * 1024
ANSWER_CHARACTERS = 500

_PIECE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said: its status, and the beginning of the text."""

    status: int
    text: str


def post(destination: Destination, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> Answer:
    """Send a body, and read the answer.

    Everything ends after so many seconds: resolving, connecting, TLS, and an answer that comes in drops. Of the answer
    at most 64 KiB are read; once its status is there, whatever is wrong with the rest is no failure.

    Raises:
        NotReached: there was no answer.
        WebhookRefused: the host has no address, or one that is not allowed.
    """
    deadline = Deadline(seconds)
    addresses = addresses_of(destination.host, destination.port, seconds=deadline.left())
    connection = _Connection(destination, addresses, deadline)
    try:
        connection.request("POST", destination.target, body=body, headers={**headers, "Connection": "close"})
        response = connection.getresponse()
        return Answer(response.status, _beginning(response))
    except (OSError, HTTPException) as error:
        raise NotReached(_in_words(error, seconds)) from None
    finally:
        connection.hang_up()


class Deadline:
    """So many seconds from now, by a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then. Raises ``TimeoutError`` when none is left."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Connection(HTTPConnection):
    """A connection to the first of these addresses that answers; host name and TLS stay the destination's."""

    def __init__(self, destination: Destination, addresses: Sequence[Address], deadline: Deadline) -> None:
        super().__init__(destination.host, destination.port)
        self.default_port = 443 if destination.is_secure else 80  # Left out of the Host header.
        self._destination = destination
        self._addresses = addresses
        self._deadline = deadline
        self._wire: socket.socket | None = None

    def connect(self) -> None:
        """Called by ``request``."""
        wire = self._wire = self._dialled()
        if self._destination.is_secure:
            wire.settimeout(self._deadline.left())
            wire = self._wire = ssl.create_default_context().wrap_socket(wire, server_hostname=self._destination.host)
        self.sock = _TimedSocket(wire, self._deadline)  # It has what http.client uses.

    def hang_up(self) -> None:
        """Close the socket, whoever still holds it."""
        self.close()
        if self._wire is not None:
            self._wire.close()

    def _dialled(self) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in self._addresses:
            # Not `create_connection`, which would ask the resolver once more.
            wire = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
            try:
                wire.settimeout(self._deadline.left())
                wire.connect((str(address), self._destination.port))
            except OSError as error:
                wire.close()
                if isinstance(error, TimeoutError):
                    raise
                failure = error
            else:
                return wire
        raise failure


class _TimedSocket:
    """A socket each of whose steps waits no longer than the deadline of all. It is closed by ``hang_up`` alone:
    http.client closes a connection while its answer is still to be read."""

    def __init__(self, wire: socket.socket, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._wire.settimeout(self._deadline.left())
            rest = rest[self._wire.send(rest[:_PIECE]) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Capped(self._wire, self._deadline))

    def close(self) -> None:
        """Nothing yet."""


class _Capped(io.RawIOBase):
    """The bytes of an answer, which ends after 64 KiB."""

    def __init__(self, wire: socket.socket, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline
        self._left = ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io hands a memoryview, which is cut
        if not self._left:
            return 0
        self._wire.settimeout(self._deadline.left())
        count = self._wire.recv_into(buffer[: self._left])
        self._left -= count
        return count


def _beginning(response: HTTPResponse) -> str:
    found = b""
    try:
        while piece := response.read1(_PIECE):
            found += piece
    except (OSError, HTTPException):
        return _text(found)
    return _text(found)


def _text(found: bytes) -> str:
    return found.decode("utf-8", "replace").replace("\x00", "")[:ANSWER_CHARACTERS]


def _in_words(error: OSError | HTTPException, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"There was no answer within {seconds:g} seconds."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not trusted: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'the connection broke off'}."
    if isinstance(error, RemoteDisconnected | ConnectionResetError | BrokenPipeError):
        return "The connection was closed without an answer."
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused: nothing listens there."
    if isinstance(error, OSError):
        return f"The connection failed: {error.strerror or type(error).__name__}."
    return "The answer is no HTTP."
