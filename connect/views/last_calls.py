"""The list of a certificate's last calls, as htmx asks for it every three seconds, for both portals."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import trigger_client_event

from connect.use_panel import last_calls
from connect.views.htmx_request import HtmxRequest

# What else tells of calls listens for it: ``templates/_use.html``.
CHANGED: Final = "calls-changed"


def answer(request: HtmxRequest, certificate_id: UUID, *, ended_at: datetime | None) -> HttpResponse:
    """The list, or 204 while it is the one that the page has. Who may see it is the caller's business.

    A list that nothing more comes to is sent without the words that make htmx ask again.
    """
    shown = last_calls(certificate_id, ended_at=ended_at, now=timezone.now())
    if shown.is_moving and request.GET.get("seen") == shown.token:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    part = render(request, "_last_calls.html", {"last_calls": shown, "calls_url": request.path})
    return trigger_client_event(part, CHANGED)
