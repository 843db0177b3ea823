"""The short way for OCSP, before Django: most of the time of a request would go into what no OCSP client needs.

Only well-formed requests for one of our CAs are answered here. Everything else goes the long way, through all of
Django's middleware to ``views.ocsp``, and so does what fails here: it is tried again there, on a fresh connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from certauthority.ocsp import endpoint
from certauthority.ocsp.endpoint import Reply
from certauthority.x509.limits import MAX_OCSP_REQUEST_BYTES

logger = logging.getLogger(__name__)

PREFIX = "/ocsp/"
_Environ = dict[str, Any]
_Application = Callable[[_Environ, Callable[..., Any]], Iterable[bytes]]
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class ShortWay:
    """A WSGI application around Django's."""

    def __init__(self, application: _Application) -> None:
        self.application = application

    def __call__(self, environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        reply = _reply(environ) if environ["PATH_INFO"].startswith(PREFIX) else None
        if reply is None:
            return self.application(environ, start_response)
        start_response(_STATUS_LINES[reply.status], reply.headers)
        return [reply.body]


def _reply(environ: _Environ) -> Reply | None:
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "POST"):
        return None
    body = None
    if method == "POST":
        length = str(environ.get("CONTENT_LENGTH") or "")
        if not (length.isdecimal() and 0 < int(length[:9]) <= MAX_OCSP_REQUEST_BYTES):
            return None
        body = environ["wsgi.input"].read(int(length))
    reply = _understood(environ, body)
    if reply is None and body is not None:
        environ["wsgi.input"] = BytesIO(body)  # For the long way.
    return reply


def _understood(environ: _Environ, body: bytes | None) -> Reply | None:
    database = connections[DEFAULT_DB_ALIAS]
    try:
        # As Django does at the start of each request: a connection lives for ``CONN_MAX_AGE``.
        is_old = database.close_at is not None and time.monotonic() >= database.close_at
        if is_old and not database.in_atomic_block:
            database.close()
        return endpoint.understood(
            environ["PATH_INFO"][len(PREFIX) :],
            body,
            if_none_match=environ.get("HTTP_IF_NONE_MATCH", ""),
            now=datetime.now(tz=UTC),
        )
    except Exception:  # The outermost edge: whatever it is, the long way still has an answer.
        logger.exception("An OCSP request could not be answered in the short way.")
        database.close()
        return None
