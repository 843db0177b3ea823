"""The use of a credential: what its page shows of it, and the list of its last calls, asked for again and again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from connect.use_panel import Period, use_panel
from connect.views.htmx_request import HtmxRequest
from connect.views.last_calls import answer
from portal.access import credential_of, signed_in
from portal.models import Credential, Environment
from portal.views.places import Place, place_to_see


def use_context(request: HttpRequest, place: Place, found: Credential) -> dict[str, Any]:
    """For ``_use.html`` and ``_last_calls.html`` on a credential's page."""
    period = Period.chosen(request.GET.get("use", ""))
    panel = use_panel(found.certificate_id, period=period, ended_at=found.ended_at, now=timezone.now())
    return {
        "use": panel,
        "last_calls": panel.last_calls,
        "calls_url": reverse("portal:credential_calls", args=[place.project.pk, place.environment, found.pk]),
        "try_it_url": "#try-it" if found.ended_at is None else "",
    }


@require_safe
def credential_calls(
    request: HtmxRequest, project_id: UUID, environment: Environment, credential_id: UUID
) -> HttpResponse:
    """The list for htmx, or 204 while it has not changed; everybody else is led to the page that holds it."""
    place = place_to_see(signed_in(request), project_id, environment)
    found = credential_of(place.project, environment, credential_id)
    if not request.htmx:
        return redirect("portal:credential", place.project.pk, environment, found.pk)
    return answer(request, found.certificate_id, ended_at=found.ended_at)
