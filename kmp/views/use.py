"""The use of a certificate: what `Certificate Details` shows of it, and the list of its last calls."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from connect.use_panel import Period, use_panel
from connect.views.htmx_request import HtmxRequest
from connect.views.last_calls import answer
from kmp.access import entry_of, officer_for_object
from kmp.models import EntryState, InventoryEntry


def use_context(request: HttpRequest, found: InventoryEntry) -> dict[str, Any]:
    """For ``_use.html`` and ``_last_calls.html`` on the page of a certificate."""
    period = Period.chosen(request.GET.get("use", ""))
    certificate = found.certificate
    panel = use_panel(certificate.pk, period=period, ended_at=certificate.revoked_at, now=timezone.now())
    return {
        "use": panel,
        "last_calls": panel.last_calls,
        "calls_url": reverse("kmp:entry_calls", args=[found.reference]),
        "try_it_url": "#try-it" if found.state == EntryState.LIVE else "",
    }


@require_safe
def entry_calls(request: HtmxRequest, reference: str) -> HttpResponse:
    """The list for htmx, or 204 while it has not changed; everybody else is led to the page that holds it."""
    found = entry_of(officer_for_object(request).company, reference)
    if not request.htmx:
        return redirect("kmp:entry", found.reference)
    return answer(request, found.certificate_id, ended_at=found.certificate.revoked_at)
