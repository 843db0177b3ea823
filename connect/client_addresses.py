"""Whose address a request comes from, where a proxy stands between."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Real-IP"


class ClientAddressMiddleware:
    """Puts the client's address into ``REMOTE_ADDR``, where everything looks for it: locks, sessions, the audit log.

    The header is believed only with ``BEHIND_PROXY``, as ``X-Forwarded-Proto`` is: the proxy sets it on each request,
    whatever the client sent. What is no address changes nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.BEHIND_PROXY:
            given = _address(request.headers.get(HEADER, ""))
            request.META["REMOTE_ADDR"] = given or request.META.get("REMOTE_ADDR", "")
        return self._get_response(request)


def _address(text: str) -> str:
    """As it is stored: an IPv4 address that came over an IPv6 socket counts as what it is."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
