"""The queue of companies that claim a CID, for the site's staff."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from connect import access
from connect.actors import actor_of, signed_in
from connect.decision_forms import DecisionForm
from connect.errors import CidRefused, NoLongerPossible, NotAllowed
from connect.models import CompanyVerification, VerificationState
from connect.private_key_guard import names_private_keys
from connect.verification import decide_verification

PAGE_SIZE = 25


@require_safe
def verifications(request: HttpRequest) -> HttpResponse:
    """Claims with their age; what waits longest stands first. ``?show=decided`` shows the others."""
    access.require_staff(signed_in(request))
    claims = CompanyVerification.objects.select_related("company", "requested_by", "decided_by")
    is_decided = request.GET.get("show") == "decided"
    if is_decided:
        found = claims.exclude(state=VerificationState.PENDING).order_by("-decided_at", "pk")
    else:
        found = claims.filter(state=VerificationState.PENDING).order_by("requested_at", "pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "is_decided": is_decided, "now": timezone.now()}
    return render(request, "connect/verifications.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(DecisionForm)
def verification(request: HttpRequest, claim_id: UUID) -> HttpResponse:
    """Confirm one claim or refuse it. One that is decided is shown as it stands."""
    user = signed_in(request)
    access.require_staff(user)
    claim = access.claim_of(claim_id)
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        confirm, reason = form.cleaned_data["is_yes"], form.cleaned_data["reason"]
        try:
            decide_verification(
                claim, by=user, confirm=confirm, reason=reason, actor=actor_of(request), now=timezone.now()
            )
        except (CidRefused, NoLongerPossible, NotAllowed) as refusal:
            form.add_error(None, str(refusal))
            claim.refresh_from_db()
        else:
            done = "is verified" if confirm else "was told that its CID is not confirmed"
            messages.success(request, f"{claim.company.name} {done}.")
            return redirect("connect:verifications")
    return render(request, "connect/verification.html", {"claim": claim, "form": form, "now": timezone.now()})
