"""What all connections of the endpoint share: the application, its threads, the limits and who counts."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.threadpool import ThreadPool

from gateway.handshake_log import HandshakeLog
from gateway.limits import Admission, Buffers, Limits
from gateway.requests import Application, EndpointRequest

if TYPE_CHECKING:
    from gateway.channel import EndpointChannel

# Answers that were just handed over are still to be encrypted and sent.
_SEND_SECONDS = 0.2


class _Threads(ThreadPool):
    """Threads that hold up no end: an application that hangs is left behind."""

    threadFactory = partial(threading.Thread, daemon=True)


class Shared:
    """Of both hosts. Only the thread of the network touches it, apart from ``application``."""

    def __init__(self, application: Application, *, clock: Any, limits: Limits) -> None:
        self.application = application
        self.clock = clock
        self.limits = limits
        self.threads = _Threads(minthreads=0, maxthreads=limits.threads, name="endpoint")
        self.admission = Admission(limits)
        self.buffers = Buffers(limits.all_bodies_octets)
        self.handshake_log = HandshakeLog()
        self.channels: set[EndpointChannel] = set()
        self.is_stopping = False
        self._running: set[EndpointRequest] = set()
        self._all_ended: Deferred[None] = Deferred()

    def begin(self, request: EndpointRequest) -> None:
        """The application was asked for an answer."""
        self._running.add(request)

    def end(self, request: EndpointRequest) -> None:
        """It has answered, or the client is gone."""
        self._running.discard(request)
        if self.is_stopping and not self._running and not self._all_ended.called:
            self._all_ended.callback(None)

    def stop(self) -> Deferred[None]:
        """Close what is idle, and wait for the answers that are under way, but not for ever."""
        self.is_stopping = True
        for channel in list(self.channels):
            channel.end_if_idle()
        if not self._running:
            self._all_ended.callback(None)
        waited = self._all_ended.addTimeout(self.limits.stop_seconds, self.clock, onTimeoutCancel=lambda *_: None)
        return waited.addCallback(lambda _: deferLater(self.clock, _SEND_SECONDS, lambda: None))
