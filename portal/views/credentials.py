"""`Sandbox credentials` and `Production credentials`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from connect.clock import now_for
from connect.views.htmx_request import HtmxRequest
from portal.access import signed_in
from portal.credential_pages import Listing
from portal.credentials import Row, Show, counts, loaded, row, with_certificates
from portal.downloads import Format
from portal.models import Credential, Environment
from portal.production_access import standing_in
from portal.try_it import try_it
from portal.views.places import Place, place_to_see

PAGE_SIZE = 25


@require_safe
@vary_on_headers("HX-Request")
def credentials(request: HtmxRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """The table of one environment. The filter and the page stand in the address; htmx swaps the table alone."""
    place = place_to_see(signed_in(request), project_id, environment)
    now = now_for(place.project.company)
    show = _show(request.GET.get("show", ""))
    numbers = counts(place.project, environment, now=now)
    page = Paginator(Listing(place.project, environment, show, numbers, now), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        **place.context,
        "show": show,
        "filters": list(numbers.items()),
        "has_any": numbers[Show.ALL] > 0,
        "page": page,
        "rows": [row(credential, now=now) for credential in loaded(page)],
    }
    if request.htmx:
        return render(request, "portal/_credentials.html", context)
    context["production"] = standing_in(place.project, environment)
    new = _new(request.GET.get("new", ""), place, now=now)
    if new is not None:
        context |= {
            "new": new,
            "formats": Format,
            "try_it": try_it(new.credential),
        }
    return render(request, "portal/credentials.html", context)


def _show(value: str) -> Show:
    """What the address asks for; live ones where it asks for nothing that there is."""
    return Show(value) if value in Show.values else Show.LIVE


def _new(value: str, place: Place, *, now: datetime) -> Row | None:
    """The credential that was just added, if the address names one of this page."""
    try:
        credential_id = UUID(value)
    except ValueError:
        return None
    here = Credential.objects.filter(project=place.project, environment=place.environment, pk=credential_id)
    found = with_certificates(here).first()
    return row(found, now=now) if found is not None else None
