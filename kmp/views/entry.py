"""`Certificate Details`, its download and its revocation."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from certauthority.chains import issuers_of
from certauthority.records import facts_of
from certauthority.x509.certificates import read_certificate
from connect.actors import actor_of, signed_in
from connect.clock import company_time, now_for
from connect.expiry.sources import lifetime_of
from connect.lifecycle import life_began, percent_over
from connect.places_to_upload import places_for
from connect.private_key_guard import names_private_keys
from connect.recent_use import seen
from connect.revoke_form import CONFIRMATION, RevokeForm
from connect.snooze_form import SnoozePanel, snooze_panel
from kmp import entries
from kmp.access import Officer, entry_of, officer_for_object
from kmp.downloads import certificate_file
from kmp.forms.inventory import DownloadForm
from kmp.history import history_of
from kmp.inventory import Row, row_of
from kmp.lifetimes import watched
from kmp.models import EntryState, Environment, InventoryEntry
from kmp.propagation import propagation
from kmp.try_it import try_it
from kmp.version_chain import chain_of
from kmp.views.use import use_context


@require_safe
def entry(request: HttpRequest, reference: str) -> HttpResponse:
    """Everything about one certificate."""
    officer, found = _officer_and_entry(request, reference)
    now, certificate = now_for(officer.company), found.certificate
    context = {
        **_context(officer, found, row_of(found, now=now)),
        **use_context(request, found),
        **_seam(request, found),
        "certificate": certificate,
        "facts": facts_of(certificate),
        "chain": [read_certificate(der) for der in issuers_of(certificate)],
        "began": life_began(certificate, now=now),
        "percent_over": percent_over(certificate, now=now),
        "issuer_label": certificate.authority.label if certificate.authority else certificate.issuer,
        "versions": chain_of(found, now=now),
        "made_by": entries.request_of(found),
        "panel": _snooze(found),
        "renewal": entries.renewal_of(found),
        "history": history_of(found),
        "can_renew": found.state == EntryState.LIVE,
        "propagation": propagation(found, now=timezone.now()),
        "propagation_url": reverse("kmp:entry_propagation", args=[found.reference]),
        "try_it": try_it(found) if found.state == EntryState.LIVE else None,
    }
    return render(request, "kmp/entry.html", context)


def _seam(request: HttpRequest, found: InventoryEntry) -> dict[str, Any]:
    """The projects that may take it. One that has the version before it live rotates that, unless the names clash."""
    renews = found.renews
    keeps_name = renews is not None and renews.certificate.subject_digest == found.certificate.subject_digest
    before = renews.certificate_id if renews is not None and not keeps_name else None
    places = places_for(signed_in(request), Environment(found.environment).code, before=before)
    return {"places": places, "keeps_name": keeps_name}


def _snooze(found: InventoryEntry) -> SnoozePanel | None:
    lifetime = lifetime_of(watched(found))
    url = reverse("kmp:entry_snooze", args=[found.reference])
    return snooze_panel(lifetime, url=url, now=timezone.now()) if lifetime is not None else None


@require_safe
def download(request: HttpRequest, reference: str) -> HttpResponse:
    """`Download`: the choice, or the file once a format is chosen. 409 for a version that has a successor.

    The latest version can be downloaded also when it is expired or revoked: it is no secret, and who looks into what
    went wrong needs it.
    """
    officer, found = _officer_and_entry(request, reference)
    context = _context(officer, found, row_of(found, now=now_for(officer.company)))
    if found.state == EntryState.RENEWED:
        context["newest"] = entries.newest_of(found)
        return render(request, "kmp/download_superseded.html", context, status=HTTPStatus.CONFLICT)
    form = DownloadForm(request.GET if "file_format" in request.GET or "include_chain" in request.GET else None)
    if form.is_valid():
        return certificate_file(found, **form.cleaned_data).answer()
    return render(request, "kmp/download.html", {**context, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(RevokeForm)
def revoke(request: HttpRequest, reference: str) -> HttpResponse:
    """Revoke a certificate for good, once the word is typed. One that is revoked already is only told about."""
    now = timezone.now()
    officer, found = _officer_and_entry(request, reference)
    context = _context(officer, found, row_of(found, now=company_time(officer.company, now)))
    if found.certificate.revoked_at is not None:
        return render(request, "kmp/revoke_ended.html", context)
    use = seen(found.certificate_id, now=now)
    form = RevokeForm(request.POST or None, seen=use)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if entries.revoke(found, reason=reason, actor=actor_of(request), now=now):
            messages.success(
                request,
                f"{found.reference} was revoked.\nIt is refused from now on, OCSP says so, and the next CRL lists it.",
            )
        else:
            messages.info(request, f"{found.reference} had been revoked a moment before.")
        return redirect("kmp:entry", found.reference)
    newer = getattr(found, "renewed_by", None)
    context |= {
        "form": form,
        "confirmation": CONFIRMATION,
        "seen": use,
        "successor": seen(newer.certificate_id, now=now) if newer is not None else None,
    }
    return render(request, "kmp/revoke.html", context)


def _officer_and_entry(request: HttpRequest, reference: str) -> tuple[Officer, InventoryEntry]:
    officer = officer_for_object(request)
    return officer, entry_of(officer.company, reference)


def _context(officer: Officer, found: InventoryEntry, row: Row) -> dict[str, Any]:
    use = getattr(found.certificate, "use", None)
    return {
        "officer": officer,
        "section": "inventory",
        "entry": found,
        "row": row,
        "last_used_at": use.last_used_at if use is not None else None,
    }
