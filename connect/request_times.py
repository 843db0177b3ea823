"""How long each request takes, by the name of its address, for ``/metrics``."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from certauthority import counters

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


class RequestTimesMiddleware:
    """Counts what passes it, and what fails in it. A visitor cannot choose what it is counted under."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun_at = time.perf_counter()
        response = self._get_response(request)
        seconds = time.perf_counter() - begun_at
        match = request.resolver_match
        method = request.method if request.method in _METHODS else "other"
        counters.observe(
            "request_seconds", seconds, view=(match.view_name if match else "") or "none", method=method or "other"
        )
        counters.add("responses", status=str(response.status_code))
        return response
