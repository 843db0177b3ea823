"""The id that every log line of one request carries, through the web server, the workers and the endpoint.

A request has one id from its first line to the last task that it caused. A proxy in front may have given it, and only
then is the header ``X-Request-Id`` believed: whoever chooses ids freely can mix his lines with somebody else's.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-Id"
# Nothing that could end a line, a quoted value or a header.
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id of what is done now; empty outside of requests and tasks."""
    return _current.get()


@contextmanager
def working_on(given: str = "") -> Iterator[str]:
    """Let every line inside the block carry one id: the given one where it is well-formed, else a new one."""
    chosen = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
    token = _current.set(chosen)
    try:
        yield chosen
    finally:
        _current.reset(token)


class RequestIdMiddleware:
    """Gives each request its id, and names it in the answer, for whoever reports a problem."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "") if settings.BEHIND_PROXY else ""
        with working_on(given) as chosen:
            response = self._get_response(request)
            response[HEADER] = chosen
        return response
