"""The steps of `Certificate Details` that tell where a certificate is known, asked for again while they move."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from connect.views.htmx_request import HtmxRequest
from kmp.access import entry_of, officer_for_object
from kmp.propagation import propagation


@require_safe
def entry_propagation(request: HtmxRequest, reference: str) -> HttpResponse:
    """The fragment for htmx; everybody else is led to the page that holds it."""
    found = entry_of(officer_for_object(request).company, reference)
    if not request.htmx:
        return redirect("kmp:entry", found.reference)
    steps = propagation(found, now=timezone.now())
    return render(request, "_propagation.html", {"propagation": steps, "propagation_url": request.path})
