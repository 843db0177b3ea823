"""The server of the live endpoint in `make run`: one thread for the network and all handshakes, others for answers.

A client that is slow, silent or hostile costs the first of them next to nothing, and a request that hangs holds up one
of the others. `docs/decisions/0009-endpoint.md` says why it is Twisted.
"""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.logger import STDLibLogObserver, globalLogBeginner
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

from gateway.channel import EndpointChannel
from gateway.limits import Limits, plain_address
from gateway.requests import Application
from gateway.shared import Shared
from gateway.tls import EndpointTls
from portal.models import Environment

logger = logging.getLogger(__name__)

# Connections that the system holds for us while the network's thread is busy.
BACKLOG = 512
# Beside connections there are files, the database and Redis.
SPARE_DESCRIPTORS = 200


class CannotServe(Exception):
    """The endpoint cannot be served; the message is a sentence for the person who tried."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the endpoint listens: an address of this machine, and a port for each environment."""

    address: str
    ports: Mapping[Environment, int]


def serve(
    application: Application,
    *,
    doors: Doors,
    tls: EndpointTls,
    limits: Limits | None = None,
    started: Callable[[], object] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, and then until the answers under way are sent.

    ``started`` is called once all ports are open. Raises CannotServe where one of them cannot be had.
    """
    from twisted.internet import reactor as found  # noqa: PLC0415  # Its import chooses and installs the event loop.

    reactor: Any = found
    reactor.seconds = time.monotonic  # Twisted's own clock is the system's, which may be set back or forth.
    limits = limits or Limits()
    _allow_descriptors(limits.connections + SPARE_DESCRIPTORS)
    globalLogBeginner.beginLoggingTo([STDLibLogObserver("twisted")], redirectStandardIO=False)
    logging.getLogger("twisted").setLevel(logging.WARNING)  # Below that it tells of each client that was slow.
    shared = Shared(application, clock=reactor, limits=limits)
    ports = [_listen(reactor, doors.address, port, host, shared, tls) for host, port in doors.ports.items()]
    shared.threads.start()

    def stop() -> Any:
        for port in ports:
            port.stopListening()
        return shared.stop()

    reactor.addSystemEventTrigger("before", "shutdown", stop)
    reactor.callWhenRunning(started)
    reactor.run()


def _listen(reactor: Any, address: str, port: int, host: Environment, shared: Shared, tls: EndpointTls) -> Any:
    factory = _TlsFactory(tls, False, _HttpFactory(host, shared), reactor, shared=shared)
    try:
        return reactor.listenTCP(port, factory, backlog=BACKLOG, interface=address)
    except CannotListenError as error:
        raise CannotServe(
            f"The mTLS endpoint cannot listen at {address}, port {port} ({error.socketError}). "
            "End what listens there, or choose others by GATEWAY_BIND, GATEWAY_PORT and GATEWAY_PROD_PORT."
        ) from error


class _HttpFactory(ServerFactory):
    """Makes the HTTP side of a connection. Nothing is logged for each: the application counts the calls."""

    noisy = False

    def __init__(self, environment: Environment, shared: Shared) -> None:
        self._environment = environment
        self._shared = shared

    def buildProtocol(self, addr: IAddress | None) -> EndpointChannel:
        return EndpointChannel(self._environment, self._shared)


class _TlsFactory(TLSMemoryBIOFactory):
    """Makes the TLS side of a connection, unless there are too many of them already."""

    def __init__(self, *arguments: Any, shared: Shared) -> None:
        super().__init__(*arguments)
        self._admission = shared.admission
        self._addresses: dict[TLSMemoryBIOProtocol, str] = {}

    def buildProtocol(self, addr: Any) -> Any:
        if not self._admission.has_room_for(plain_address(addr.host)):
            return None
        return super().buildProtocol(addr)

    def registerProtocol(self, p: TLSMemoryBIOProtocol) -> None:
        super().registerProtocol(p)
        if p not in self._addresses:  # Twisted calls this twice for each connection.
            self._addresses[p] = plain_address(p.transport.getPeer().host)
            self._admission.enter(self._addresses[p])

    def unregisterProtocol(self, p: TLSMemoryBIOProtocol) -> None:
        super().unregisterProtocol(p)
        self._admission.leave(self._addresses.pop(p))


def _allow_descriptors(count: int) -> None:
    """Let this process hold so many connections, where the system's own limit allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
