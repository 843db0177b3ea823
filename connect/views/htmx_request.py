"""The request as ``django_htmx``'s middleware leaves it."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """``htmx`` is true where htmx asks for a part of the page."""

    htmx: HtmxDetails
