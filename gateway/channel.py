"""One connection to the endpoint: Twisted's HTTP/1.1 with deadlines, limits, and no leniency with odd requests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall, IHandshakeListener
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from gateway.calls import Call
from gateway.early_refusals import HEAD_TOO_LARGE, MALFORMED, TOO_BUSY, TOO_SLOW, EarlyRefusal
from gateway.limits import plain_address
from gateway.requests import EndpointRequest
from gateway.tls import presented_chain
from portal.models import Environment

if TYPE_CHECKING:
    from gateway.shared import Shared

logger = logging.getLogger(__name__)

_SPACE = (b" ", b"\t")
# More digits than any length has that is not too large.
_LENGTH_DIGITS = 12


class Phase(Enum):
    """What a connection is waiting for."""

    HANDSHAKE = "handshake"
    IDLE = "idle"
    HEAD = "head"
    REQUEST = "request"
    CLOSING = "closing"


@implementer(IHandshakeListener)
class EndpointChannel(HTTPChannel):
    """A deadline runs in each phase, whatever trickles in meanwhile, so that a slow client ends by itself.

    Its base goes on parsing the lines that it already has after it refused a request. Here nothing of a connection
    counts any more once it is closing.
    """

    call: Call
    requestFactory = EndpointRequest

    def __init__(self, environment: Environment, shared: Shared) -> None:
        super().__init__()
        self.shared = shared
        self.phase = Phase.HANDSHAKE
        self.timeOut = None  # Its base's own one begins anew with each octet.
        self.maxHeaders = shared.limits.headers
        self.totalHeadersSize = self.MAX_LENGTH = shared.limits.head_octets
        self._environment = environment
        self._deadline: IDelayedCall | None = None
        self._began_at = 0.0

    @property
    def is_closing(self) -> bool:
        """Whether nothing that comes or is answered counts any more."""
        return self.phase is Phase.CLOSING

    def connectionMade(self) -> None:
        self.shared.channels.add(self)
        super().connectionMade()
        self._allow(self.shared.limits.handshake_seconds, self.abort)

    def handshakeCompleted(self) -> None:
        """Keep what the handshake has shown: each request on this connection is judged by it."""
        connection = self.transport.getHandle()
        chain, is_whole = presented_chain(connection)
        self.call = Call(
            environment=self._environment,
            chain=chain,
            chain_is_whole=is_whole,
            client_address=plain_address(self.transport.getPeer().host),
            tls_version=connection.get_protocol_version_name(),
            cipher=connection.get_cipher_name() or "",
        )
        self._become_idle()

    def dataReceived(self, data: bytes) -> None:
        if self.is_closing:
            return
        if self.phase is Phase.IDLE:
            self.phase = Phase.HEAD
            self._began_at = self.shared.clock.seconds()
            self._allow(self.shared.limits.head_seconds, lambda: self.refuse(TOO_SLOW))
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        # A header over several lines (obs-fold): who stands in front may read it otherwise (RFC 9112, 5.2).
        if line.startswith(_SPACE):
            self.refuse(MALFORMED)
        elif not self.is_closing:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(HEAD_TOO_LARGE)

    def headerReceived(self, line: bytes) -> bool:
        """Whether the header is well-formed. Its base would take some lengths that others read in another way."""
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        odd_encoding = name == b"transfer-encoding" and (value.lower() != b"chunked" or self._version != b"HTTP/1.1")
        odd_length = name == b"content-length" and (not value.isdigit() or len(value) > _LENGTH_DIGITS)
        if odd_encoding or odd_length:
            self.refuse(MALFORMED)
            return False
        return bool(super().headerReceived(line)) and not self.is_closing

    def allHeadersReceived(self) -> None:
        request = self.requests[-1]
        hosts = request.requestHeaders.getRawHeaders(b"Host") or []
        # RFC 9112, 3.2: one that is missing or repeated must be answered with 400.
        if len(hosts) > 1 or (not hosts and self._version == b"HTTP/1.1"):
            self.refuse(MALFORMED)
            return
        self.phase = Phase.REQUEST
        spent = self.shared.clock.seconds() - self._began_at
        self._allow(max(0.0, self.shared.limits.request_seconds - spent), self._give_up_request)
        super().allHeadersReceived()

    def requestDone(self, request: Any) -> None:
        if not self.is_closing:
            if self.shared.is_stopping:
                self.persistent = 0
            self._become_idle()
        super().requestDone(request)

    def refuse(self, refusal: EarlyRefusal) -> None:
        """Answer so, and read nothing more of this connection."""
        if self.is_closing:
            return
        logger.info("A request from %s was refused: %s.", self.call.client_address, refusal.code)
        self.transport.write(refusal.octets())
        self.loseConnection()

    def loseConnection(self) -> None:
        if not self.is_closing:
            self.phase = Phase.CLOSING
            self.persistent = 0
            # The client may be slow to say good-bye, or may never do it.
            self._allow(self.shared.limits.linger_seconds, self.abort)
        super().loseConnection()

    def end_if_idle(self) -> None:
        """Close the connection now, or once the request that has arrived is answered."""
        if self.phase is not Phase.REQUEST:
            self.loseConnection()

    def abort(self) -> None:
        """End the connection without another word."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure) -> None:
        self._cancel_deadline()
        self.shared.channels.discard(self)
        if self.phase is Phase.HANDSHAKE:
            self.shared.handshake_log.failed(self.transport.getPeer().host, reason.value)
        self.phase = Phase.CLOSING
        super().connectionLost(reason)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Its base answers a bare status line. It says too much in one place: limits have a status of their own."""
        too_large = self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders
        self.refuse(HEAD_TOO_LARGE if too_large else MALFORMED)

    def _give_up_request(self) -> None:
        """The time for a whole request is over: it did not arrive, or was not answered, or nobody reads the answer."""
        request = self.requests[0]
        if request.startedWriting:
            self.abort()
        else:
            self.refuse(TOO_BUSY if request.is_complete else TOO_SLOW)

    def _become_idle(self) -> None:
        self.phase = Phase.IDLE
        self._allow(self.shared.limits.idle_seconds, self.loseConnection)

    def _allow(self, seconds: float, then: Callable[[], None]) -> None:
        self._cancel_deadline()
        self._deadline = self.shared.clock.callLater(seconds, then)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
