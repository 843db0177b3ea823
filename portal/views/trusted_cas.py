"""Trusted CAs: whose certificates may be uploaded. Everybody reads the list, the site's staff change it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from certauthority import trust
from certauthority.errors import NotTrustable
from certauthority.models import TrustedAuthority
from connect.actors import actor_of
from connect.private_key_guard import names_private_keys
from portal import access
from portal.forms.trusted_cas import AddTrustedCaForm, ChangeTrustedCaForm


@require_safe
def trusted_cas(request: HttpRequest) -> HttpResponse:
    """The list."""
    listed = TrustedAuthority.objects.select_related("authority").order_by("-enabled", "common_name", "subject")
    return render(request, "portal/trusted_cas.html", {"trusted_cas": listed.defer("der"), "now": timezone.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(AddTrustedCaForm)
def add(request: HttpRequest) -> HttpResponse:
    """Put a CA on the list."""
    access.require_staff(access.signed_in(request))
    form = AddTrustedCaForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            trusted = trust.add(
                form.cleaned_data["data"],
                note=form.cleaned_data["note"],
                actor=actor_of(request),
                now=timezone.now(),
            )
        except NotTrustable as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{trusted} is trusted. Certificates below it can be uploaded from now on.")
            return redirect("portal:trusted_cas")
    return render(request, "portal/trusted_ca_form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(ChangeTrustedCaForm)
def change(request: HttpRequest, trusted_ca_id: UUID) -> HttpResponse:
    """Enable or disable a CA, or change the note on it."""
    access.require_staff(access.signed_in(request))
    trusted = get_object_or_404(TrustedAuthority, pk=trusted_ca_id)
    form = ChangeTrustedCaForm.of(trusted)
    if request.method == "POST":
        form = ChangeTrustedCaForm(request.POST)
        if form.is_valid():
            trust.change(trusted, **form.cleaned_data, actor=actor_of(request), now=timezone.now())
            messages.success(request, f"{trusted} is {'enabled' if form.cleaned_data['enabled'] else 'disabled'}.")
            return redirect("portal:trusted_cas")
    return render(request, "portal/trusted_ca.html", {"form": form, "trusted_ca": trusted})
