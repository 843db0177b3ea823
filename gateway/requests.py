"""One request at the endpoint: its body in memory and within limits, its answer from the WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from twisted.python.failure import Failure
from twisted.web.http import Request, datetimeToString
from twisted.web.wsgi import WSGIResource

from gateway.calls import CALL_KEY
from gateway.early_refusals import BODY_TOO_LARGE, MALFORMED, TOO_BUSY

if TYPE_CHECKING:
    from gateway.channel import EndpointChannel

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class EndpointRequest(Request):
    """Reads at most what the limits allow, then hands over to the application in a thread."""

    channel: EndpointChannel
    # What Twisted's own WSGI resource asks for.
    prepath: list[bytes]
    postpath: list[bytes]
    defaultContentType: bytes | None = None

    def __init__(self, channel: EndpointChannel, queued: object = False) -> None:
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self._shared = channel.shared
        self.content = BytesIO()
        self.is_complete = False
        self._buffered = 0

    def gotLength(self, length: int | None) -> None:
        """Refuse a body that says itself that it is too large, before any of it is read."""
        if length is not None and length > self._shared.limits.body_octets:
            self.channel.refuse(BODY_TOO_LARGE)

    def handleContentChunk(self, data: bytes) -> None:
        if self.channel.is_closing:
            return
        if self._buffered + len(data) > self._shared.limits.body_octets:
            self.channel.refuse(BODY_TOO_LARGE)
        elif not self._shared.buffers.take(len(data)):
            self.channel.refuse(TOO_BUSY)
        else:
            self._buffered += len(data)
            self.content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self.channel.is_closing:
            super().requestReceived(command, path, version)

    def process(self) -> None:
        """Let the application answer."""
        self.is_complete = True
        target = self._origin_form()
        if target is None:
            self.channel.refuse(MALFORMED)
            return
        self.uri = target
        path = target.partition(b"?")[0]
        self.prepath, self.postpath = [], [unquote_to_bytes(part) for part in path[1:].split(b"/")]
        self.responseHeaders.setRawHeaders(b"Date", [datetimeToString()])
        self._shared.begin(self)
        self.notifyFinish().addBoth(lambda _: self._shared.end(self))
        WSGIResource(self._shared.clock, self._shared.threads, self._bound()).render(self)

    def connectionLost(self, reason: Failure) -> None:
        self._give_back()
        super().connectionLost(reason)

    def finish(self) -> None:
        """Nobody waits for an answer whose connection is gone, so then there is nothing to finish."""
        if self._disconnected:
            return
        self._give_back()
        super().finish()

    def _origin_form(self) -> bytes | None:
        """The path and query of the request's target, of which RFC 9112, 3.2 has several forms; None for the others."""
        if self.uri.startswith(b"/"):
            return self.uri
        if self.uri.lower().startswith((b"https://", b"http://")):
            try:
                parts = urlsplit(self.uri)
            except ValueError:
                return None
            return (parts.path or b"/") + (b"?" + parts.query if parts.query else b"")
        return b"/*" if self.uri == b"*" and self.method == b"OPTIONS" else None

    def _bound(self) -> Application:
        """The application with this request's call. The body is its own: the connection may end while it reads."""
        call, body, application = self.channel.call, self.content.getvalue(), self._shared.application
        has_body = self.requestHeaders.hasHeader(b"Content-Length") or bool(body)

        def bound(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if self._disconnected:  # While it waited for a thread: its answer would reach nobody.
                start_response("503 Service Unavailable", [])
                return []
            environ[CALL_KEY] = call
            environ["REMOTE_ADDR"] = call.client_address
            environ["wsgi.url_scheme"] = "https"
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body)) if has_body else ""
            # The body is whole: how it came in pieces is over.
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            return application(environ, start_response)

        return bound

    def _give_back(self) -> None:
        self._shared.buffers.give_back(self._buffered)
        self._buffered = 0
