"""Production access: a project's admins ask for it, the site's staff decide."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from connect.actors import actor_of
from connect.clock import company_time
from connect.decision_forms import DecisionForm
from connect.private_key_guard import names_private_keys
from portal import access
from portal.credentials import counts
from portal.errors import NoLongerPossible, NotAllowed
from portal.forms.production import ProductionAccessForm
from portal.models import Environment, ProductionState
from portal.production_access import decide_production_access, is_verified, request_production_access
from portal.readiness import readiness_of

PAGE_SIZE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(ProductionAccessForm)
def production_access(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """`Request Production Access`: how it stands, and the form where it can be asked for."""
    user, now = access.signed_in(request), timezone.now()
    project = access.admin_membership_of(user, project_id).project
    form = ProductionAccessForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            request_production_access(project, by=user, **form.cleaned_data, actor=actor_of(request), now=now)
        except NoLongerPossible as refusal:
            messages.info(request, str(refusal))
            return redirect("portal:project", project.pk)
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, "Production access was requested. The site’s staff decide, and you will be told by e-mail."
            )
            return redirect("portal:project", project.pk)
    context = {
        "project": project,
        "section": "summary",
        "form": form,
        "readiness": readiness_of(project),
        "certificates": counts(project, Environment.PRODUCTION, now=company_time(project.company, now)),
        "may_verify": user.company_id == project.company_id,
        "now": now,
    }
    return render(request, "portal/production_access.html", context)


@require_safe
def production_requests(request: HttpRequest) -> HttpResponse:
    """The queue of the site's staff, with ages; what waits longest stands first. ``?show=decided`` shows the others."""
    found = access.production_requests_of(access.signed_in(request))
    is_decided = request.GET.get("show") == "decided"
    if is_decided:
        found = found.exclude(state=ProductionState.PENDING).order_by("-decided_at", "pk")
    else:
        # A deleted project needs no decision any more.
        found = found.filter(state=ProductionState.PENDING, project__deleted_at=None).order_by("requested_at", "pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "is_decided": is_decided, "now": timezone.now()}
    return render(request, "portal/production_requests.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(DecisionForm)
def production_request(request: HttpRequest, production_request_id: UUID) -> HttpResponse:
    """Approve one request or refuse it. One that is decided is shown as it stands."""
    user, now = access.signed_in(request), timezone.now()
    asked = access.production_request_of(user, production_request_id)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        approve, reason = form.cleaned_data["is_yes"], form.cleaned_data["reason"]
        try:
            decide_production_access(asked, by=user, approve=approve, reason=reason, actor=actor_of(request), now=now)
        except (NoLongerPossible, NotAllowed) as refusal:
            form.add_error(None, str(refusal))
            asked = access.production_request_of(user, production_request_id)
        else:
            done = "has production access" if approve else "was told why it gets no production access"
            messages.success(request, f"{asked.project.name} {done}.")
            return redirect("portal:production_requests")
    context = {
        "asked": asked,
        "is_own": asked.requested_by_id == user.pk,
        "is_verified": is_verified(asked.project.company),
        "certificates": counts(asked.project, Environment.PRODUCTION, now=company_time(asked.project.company, now)),
        "earlier": asked.project.production_requests.filter(requested_at__lt=asked.requested_at).count(),
        "form": form,
        "now": now,
    }
    return render(request, "portal/production_request.html", context)
