"""The guided rotations of a project and of a certificate, as parts that htmx asks for again and again."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from connect.clock import company_time
from connect.views.htmx_request import HtmxRequest
from portal import guided_rotation, overview
from portal.access import credential_of, membership_of, signed_in
from portal.credentials import Row
from portal.guided_rotation import Guide, guide_for
from portal.models import Credential, Environment, Membership, Role
from portal.rotation import Pair
from portal.views.places import Place, place_to_see


@require_safe
@vary_on_headers("HX-Request")
def guides(request: HtmxRequest, project_id: UUID) -> HttpResponse:
    """The rotations on `Project summary`. Without htmx that page."""
    membership = membership_of(signed_in(request), project_id)
    if not request.htmx:
        return redirect("portal:project", project_id)
    company_now = company_time(membership.project.company, timezone.now())
    ending = overview.ending_soon(membership.project, now=company_now)
    return _part(request, of_project(membership, ending=ending))


@require_safe
@vary_on_headers("HX-Request")
def guide(request: HtmxRequest, project_id: UUID, environment: Environment, credential_id: UUID) -> HttpResponse:
    """The rotation on a certificate's page. Without htmx that page."""
    place = place_to_see(signed_in(request), project_id, environment)
    credential = credential_of(place.project, environment, credential_id)
    if not request.htmx:
        return redirect("portal:credential", project_id, environment, credential_id)
    return _part(request, of_credential(place, credential))


def of_project(membership: Membership, *, ending: Sequence[Row], pairs: Sequence[Pair] | None = None) -> dict[str, Any]:
    """What ``portal/_guides.html`` takes on `Project summary`. ``ending`` are rows that have no successor.

    ``pairs`` are those that replace each other, where they were read already.
    """
    project, now = membership.project, timezone.now()
    company_now = company_time(project.company, now)
    found = guided_rotation.guides_of(project, ending=ending, now=now, company_now=company_now, pairs=pairs)
    url = reverse("portal:guides", args=[project.pk])
    return _context(found, url=url, may_change=membership.role == Role.ADMIN)


def of_credential(place: Place, credential: Credential) -> dict[str, Any]:
    """The same on a certificate's page."""
    now = timezone.now()
    found = guide_for(credential, now=now, company_now=company_time(place.project.company, now))
    url = reverse("portal:guide", args=[place.project.pk, place.environment, credential.pk])
    return _context([found] if found is not None else [], url=url, may_change=place.may_change)


def _context(found: Sequence[Guide], *, url: str, may_change: bool) -> dict[str, Any]:
    return {
        "guides": found,
        "guides_state": guided_rotation.state_of(found),
        "guides_url": url,
        "guides_are_awaited": any(one.is_awaited for one in found),
        "may_rotate": may_change,
        "announced": False,
    }


def _part(request: HtmxRequest, context: dict[str, Any]) -> HttpResponse:
    """The part, or 204 where the page shows it already: what is not swapped keeps its focus."""
    before, now = request.GET.get("state", ""), str(context["guides_state"])
    if before == now:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context["announced"] = before.partition(".")[0] != now.partition(".")[0]
    return render(request, "portal/_guides.html", context)
