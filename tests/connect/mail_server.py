"""A real SMTP server on loopback that does what a test wants: it is slow, refuses, or goes away."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_START_SECONDS = 30


@dataclass
class Behaviour:
    """What the server does. ``taken`` holds the messages that it has answered for, or would have, in their order."""

    rcpt_reply: str = "250 OK"
    data_reply: str = "250 OK"
    seconds: float = 0.0
    drops_after_data: bool = False
    on_data: Callable[[], None] | None = None
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    tries: int = 0

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient."""
        self.tries += 1
        if self.rcpt_reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  the same
        """A whole message."""
        if self.data_reply.startswith("2"):
            content = envelope.original_content or b""
            self.taken.append(message_from_bytes(content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
        await asyncio.sleep(self.seconds)
        if self.on_data is not None:
            self.on_data()
        if self.drops_after_data and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return self.data_reply

    @property
    def ids(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(str(message["Message-ID"]) for message in self.taken)


class _OnSocket(Controller):
    """Listens on a socket that is bound already, so that no other process can take its port."""

    def __init__(self, handler: Behaviour, listening: socket.socket) -> None:
        self._listening = listening
        host, port = listening.getsockname()
        super().__init__(handler, hostname=host, port=port, ready_timeout=_START_SECONDS)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


def bound_socket(port: int = 0) -> socket.socket:
    """A place of its own on loopback, where nobody listens yet: who connects is refused."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", port))
    return place


@contextmanager
def mail_server(place: socket.socket, behaviour: Behaviour) -> Iterator[Behaviour]:
    """The server, for as long as the block lasts."""
    controller = _OnSocket(behaviour, place)
    controller.start()
    try:
        yield behaviour
    finally:
        controller.stop()
