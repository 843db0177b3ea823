"""The steps of a credential's page that tell where it is known, asked for again while they move."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from connect.clock import company_time
from connect.views.htmx_request import HtmxRequest
from portal.access import credential_of, signed_in
from portal.models import Environment
from portal.propagation import propagation
from portal.views.places import place_to_see


@require_safe
def credential_propagation(
    request: HtmxRequest, project_id: UUID, environment: Environment, credential_id: UUID
) -> HttpResponse:
    """The fragment for htmx; everybody else is led to the page that holds it."""
    place = place_to_see(signed_in(request), project_id, environment)
    found = credential_of(place.project, environment, credential_id)
    if not request.htmx:
        return redirect("portal:credential", place.project.pk, environment, found.pk)
    now = timezone.now()
    steps = propagation(found, now=now, company_now=company_time(place.project.company, now))
    return render(request, "_propagation.html", {"propagation": steps, "propagation_url": request.path})
