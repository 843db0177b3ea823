"""The predecessor that `Add certificate` may be opened with, as ``?rotate=`` names it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from portal.access import credential_of
from portal.models import Credential
from portal.views.places import Place


def predecessor_in(request: HttpRequest, place: Place) -> Credential | None:
    """The credential that ``?rotate=`` names. Raises 404 for one that is not of this environment of this project."""
    value = request.GET.get("rotate")
    if not value:
        return None
    try:
        return credential_of(place.project, place.environment, UUID(value))
    except ValueError:
        raise Http404 from None


def nothing_to_rotate(request: HttpRequest, predecessor: Credential, *, page: str) -> HttpResponse:
    """Go to a page, named by its URL name, without the predecessor that has ended."""
    messages.info(request, f"{predecessor.alias} has ended, so there is nothing to rotate. Add a certificate instead.")
    return redirect(page, predecessor.project_id, predecessor.environment)


def rotating_context(place: Place, predecessor: Credential | None) -> dict[str, Any]:
    """The context of every page of `Add certificate`. ``query`` goes to the end of the addresses of its options."""
    query = f"?rotate={predecessor.pk}" if predecessor is not None else ""
    return {**place.context, "predecessor": predecessor, "query": query}
