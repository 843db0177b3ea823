"""The inbox of those who decide on access: Security Administrators, and staff where a company has none."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from connect import access, access_requests
from connect.actors import actor_of, signed_in
from connect.decision_forms import DecisionForm, WithdrawForm
from connect.errors import NoLongerPossible, NotAllowed
from connect.models import AccessRequest, AccessState
from connect.officers import KMP, officers_of
from connect.private_key_guard import names_private_keys
from connect.records import names_of

PAGE_SIZE = 25


class Show(models.TextChoices):
    """The filter of the inbox, as it stands in the address."""

    WAITING = "waiting", "Waiting"
    GRANTED = "granted", "Granted"
    CLOSED = "closed", "Closed"


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Requests with their age; what waits longest stands first."""
    found = access.inbox_of(signed_in(request))
    asked = request.GET.get("show", "")
    show = Show(asked) if asked in Show.values else Show.WAITING
    if show is Show.WAITING:
        found = found.filter(state=AccessState.PENDING).order_by("requested_at", "pk")
    elif show is Show.GRANTED:
        found = found.filter(state=AccessState.GRANTED).order_by("-decided_at", "pk")
    else:
        found = found.exclude(state__in=[AccessState.PENDING, AccessState.GRANTED]).order_by("-decided_at", "pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(row, *names_of(row)) for row in page]
    context = {"show": show, "filters": Show, "page": page, "rows": rows, "now": timezone.now()}
    return render(request, "connect/inbox.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(DecisionForm)
def inbox_item(request: HttpRequest, access_id: UUID) -> HttpResponse:
    """Approve or refuse one request. One that is decided is shown as it stands."""
    user = signed_in(request)
    asked = access.inbox_request_of(user, access_id)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        grant = form.cleaned_data["is_yes"]
        reason = form.cleaned_data["reason"]
        try:
            access_requests.decide(
                asked, by=user, grant=grant, reason=reason, actor=actor_of(request), now=timezone.now()
            )
        except (NoLongerPossible, NotAllowed) as refusal:
            form.add_error(None, str(refusal))
            asked.refresh_from_db()
        else:
            messages.success(
                request, f"You have {'approved' if grant else 'refused'} the request of {asked.user.name}."
            )
            return redirect("connect:inbox")
    return render(request, "connect/inbox_item.html", {**_context(asked), "form": form, "now": timezone.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(WithdrawForm)
def withdraw(request: HttpRequest, access_id: UUID) -> HttpResponse:
    """Take granted access back, with a reason."""
    user = signed_in(request)
    granted = access.inbox_request_of(user, access_id)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            access_requests.withdraw(granted, by=user, **form.cleaned_data, actor=actor_of(request), now=timezone.now())
        except (NoLongerPossible, NotAllowed) as refusal:
            form.add_error(None, str(refusal))
            granted.refresh_from_db()
        else:
            messages.success(request, f"{granted.user.name} has no access any more.")
            return redirect("connect:inbox")
    # Only KMP has security officers, and drafts of requests.
    left = officers_of(granted.company).exclude(pk=granted.user_id).count() if granted.application == KMP else None
    return render(request, "connect/withdraw.html", {**_context(granted), "form": form, "officers_left": left})


def _context(request: AccessRequest) -> dict[str, object]:
    application, level = names_of(request)
    return {"access": request, "application_name": application, "level_label": level}
