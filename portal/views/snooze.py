"""Snooze the notices of one credential, for the admins of its project."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of
from connect.expiry.sources import lifetime_of
from connect.views.snooze import change, panel_sent, said
from portal.access import credential_of, signed_in
from portal.lifetimes import watched
from portal.models import Environment
from portal.views.places import place_to_change


@require_http_methods(["GET", "HEAD", "POST"])
def snooze(request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID) -> HttpResponse:
    """Tell nobody of its end until a day, or `Wake up now`. One that has ended is only told about."""
    place = place_to_change(signed_in(request), project_id, environment)
    credential = credential_of(place.project, environment, credential_id)
    page = reverse("portal:credential", args=[place.project.pk, environment, credential.pk])
    lifetime = lifetime_of(watched(credential))
    if lifetime is None:
        messages.info(request, f"{credential.alias} has ended.\nNo notice about it will come, so there is no snooze.")
        return redirect(page)
    panel = panel_sent(request, lifetime, url=request.path)
    if request.method == "POST" and change(panel, by=place.user.email, actor=actor_of(request)):
        messages.success(request, said(panel))
        return redirect(page)
    return render(request, "portal/snooze.html", {**place.context, "panel": panel, "page": page})
