"""`Revoke certificate`."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of
from connect.revoke_form import CONFIRMATION, RevokeForm
from portal import revocation
from portal.access import credential_of, signed_in
from portal.credentials import row
from portal.models import Credential, Environment
from portal.rotation import safety_of
from portal.views.places import place_to_change


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID) -> HttpResponse:
    """End a certificate for good, once the word is typed. One that has ended is only told about."""
    now = timezone.now()
    place = place_to_change(signed_in(request), project_id, environment)
    credential = credential_of(place.project, environment, credential_id)
    shown = row(credential, now=now)
    context = {**place.context, "row": shown}
    if not shown.is_live:
        return render(request, "portal/revoke_ended.html", context)
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if revocation.end(credential, reason=reason, actor=actor_of(request), now=now):
            messages.success(request, _ended(credential))
        else:
            messages.info(request, f"{credential.alias} had been revoked a moment before.")
        return redirect("portal:credentials", place.project.pk, environment)
    context |= {
        "form": form,
        "confirmation": CONFIRMATION,
        "safety": safety_of(shown, now=now),
        "is_revoked_itself": revocation.is_revoked_itself(credential),
    }
    return render(request, "portal/revoke.html", context)


def _ended(credential: Credential) -> str:
    if revocation.is_revoked_itself(credential):
        return f"{credential.alias} was revoked.\nIt is refused from now on, and the next CRL lists it."
    return (
        f"The use of {credential.alias} on this project was ended.\nIts issuer was not told: revoke it there as well, "
        "if nobody is to use it anywhere."
    )
