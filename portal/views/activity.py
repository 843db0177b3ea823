"""Activity: what happened in a project."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal import access
from portal.activity import page_of


@require_safe
def activity(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """One page of the project's audit log, newest first."""
    membership = access.membership_of(access.signed_in(request), project_id)
    before = request.GET.get("before", "")
    context = {
        "project": membership.project,
        "section": "activity",
        "page": page_of(membership.project, before=before),
        "is_first": not before,
    }
    return render(request, "portal/activity.html", context)
