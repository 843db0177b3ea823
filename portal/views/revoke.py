"""`Revoke certificate`, and `Revoke and create again` for a keystore that is lost."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of
from connect.clock import company_time
from connect.private_key_guard import names_private_keys
from connect.recent_use import Seen, seen
from connect.revoke_form import CONFIRMATION, RevokeForm
from portal import revocation
from portal.access import credential_of, signed_in
from portal.credentials import Row, row
from portal.models import Credential, Environment
from portal.rotation import safety_of
from portal.views.places import place_to_change


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(RevokeForm)
def revoke(request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID) -> HttpResponse:
    """End a certificate for good, once the word is typed. One that has ended is only told about.

    With ``?again=1`` it leads on to a new certificate in place of one whose key a browser made.
    """
    now = timezone.now()
    place = place_to_change(signed_in(request), project_id, environment)
    credential = credential_of(place.project, environment, credential_id)
    company_now = company_time(place.project.company, now)
    shown = row(credential, now=company_now)
    again_url = _again_url(shown) if request.GET.get("again") == "1" and credential.has_generated_key else ""
    heading = "Revoke and create again" if again_url else "Revoke certificate"
    context = {**place.context, "row": shown, "again_url": again_url, "heading": heading}
    if not shown.is_live:
        return render(request, "portal/revoke_ended.html", context)
    use = seen(credential.certificate_id, now=now)
    form = RevokeForm(request.POST or None, seen=use)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if revocation.revoke(credential, reason=reason, actor=actor_of(request), now=now):
            messages.success(request, _ended(credential, is_made_again=bool(again_url)))
        else:
            messages.info(request, f"{credential.alias} had been revoked a moment before.")
        return redirect(again_url or reverse("portal:credentials", args=[place.project.pk, environment]))
    context |= {
        "form": form,
        "confirmation": CONFIRMATION,
        "seen": use,
        "successor": _successor(shown, now=now),
        "safety": safety_of(shown, now=now, company_now=company_now),
        "in_rotation": bool(shown.successors) or credential.predecessor_id is not None,
        "is_revoked_itself": revocation.is_revoked_itself(credential),
    }
    return render(request, "portal/revoke.html", context)


def _successor(shown: Row, *, now: datetime) -> Seen | None:
    """What the endpoint has seen of the certificate that takes over."""
    return seen(shown.replaced_by.certificate_id, now=now) if shown.replaced_by is not None else None


def _again_url(shown: Row) -> str:
    """The page that makes a certificate in its place: the same alias and, while that is live, the same predecessor."""
    credential = shown.credential
    page = reverse("portal:generate_key", args=[credential.project_id, credential.environment])
    rotating = {"rotate": str(shown.replaces.pk)} if shown.replaces is not None else {}
    return f"{page}?{urlencode({'alias': credential.alias, **rotating})}"


def _ended(credential: Credential, *, is_made_again: bool) -> str:
    if is_made_again:
        return (
            f"{credential.alias} was revoked.\nIts alias is free again: choose a keystore password, and create the "
            "certificate that takes its place."
        )
    if revocation.is_revoked_itself(credential):
        return f"{credential.alias} was revoked.\nIt is refused from now on, OCSP says so, and the next CRL lists it."
    return (
        f"The use of {credential.alias} on this project was ended.\nIts issuer was not told: revoke it there as well, "
        "if nobody is to use it anywhere."
    )
