"""``/metrics``: figures for whoever watches the site, and for nobody else."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from certauthority import counters
from config.measures import SiteCollector

# What a proxy says of whom it speaks for: such a request is the proxy's own in address alone.
_PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via")
REFUSAL = (
    "Metrics are told to the addresses in METRICS_ADDRESSES when they ask without a proxy in between, and to whoever "
    "sends METRICS_TOKEN as a bearer token. Set one of them for the program that asks.\n"
)

_registry = CollectorRegistry()
_registry.register(SiteCollector())


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Every figure as it is now, those of this process included."""
    if not _may_know(request):
        return HttpResponse(REFUSAL, status=403, content_type="text/plain; charset=utf-8")
    counters.flush()
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_know(request: HttpRequest) -> bool:
    return _has_token(request) or _is_near(request)


def _has_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    return bool(expected) and kind.lower() == "bearer" and compare_digest(token.strip().encode(), expected.encode())


def _is_near(request: HttpRequest) -> bool:
    if any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        address = ip_address(str(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ADDRESSES)
