"""Snooze the notices of one certificate, for the security officers of its company."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of
from connect.expiry.sources import lifetime_of
from connect.views.snooze import change, panel_sent, said
from kmp.access import entry_of, officer_for_object
from kmp.lifetimes import watched


@require_http_methods(["GET", "HEAD", "POST"])
def snooze(request: HttpRequest, reference: str) -> HttpResponse:
    """Tell nobody of its end until a day, or `Wake up now`. One that is revoked is only told about."""
    officer = officer_for_object(request)
    entry = entry_of(officer.company, reference)
    lifetime = lifetime_of(watched(entry))
    if lifetime is None:
        messages.info(request, f"{entry.reference} is revoked.\nNo notice about it will come, so there is no snooze.")
        return redirect("kmp:entry", entry.reference)
    panel = panel_sent(request, lifetime, url=request.path)
    if request.method == "POST" and change(panel, by=officer.user.email, actor=actor_of(request)):
        messages.success(request, said(panel))
        return redirect("kmp:entry", entry.reference)
    context = {"officer": officer, "section": "inventory", "entry": entry, "panel": panel}
    return render(request, "kmp/snooze.html", context)
