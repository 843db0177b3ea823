"""One credential: everything about it, and its downloads."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from audit.models import AuditEvent
from certauthority.chains import issuers_of
from certauthority.records import facts_of
from certauthority.x509.certificates import read_certificate
from certauthority.x509.request_commands import file_name
from connect.activity import Entry
from connect.clock import now_for
from connect.expiry.sources import lifetime_of
from connect.lifecycle import Status, life_began, percent_over
from connect.snooze_form import SnoozePanel, snooze_panel
from portal.access import credential_of, signed_in
from portal.activity import entry
from portal.credentials import Row, row
from portal.downloads import Format
from portal.downloads import download as file_of
from portal.keystores import in_milliseconds, is_awaited
from portal.lifetimes import watched
from portal.models import Credential, Environment
from portal.production_access import standing_in
from portal.propagation import propagation
from portal.rotation import safety_of
from portal.try_it import try_it
from portal.views.guided_rotation import of_credential
from portal.views.places import Place, place_to_see
from portal.views.use import use_context


@require_safe
def credential(request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID) -> HttpResponse:
    """Everything about one certificate."""
    place = place_to_see(signed_in(request), project_id, environment)
    now = now_for(place.project.company)
    found = credential_of(place.project, environment, credential_id)
    shown = row(found, now=now)
    has_lost_successor = shown.is_live and shown.successors and shown.replaced_by is None
    context = {
        **place.context,
        **use_context(request, place, found),
        "row": shown,
        "production": standing_in(place.project, environment) if _may_work(shown) else None,
        "facts": facts_of(found.certificate),
        "chain": [read_certificate(der) for der in issuers_of(found.certificate)],
        "began": life_began(found.certificate, now=now),
        "percent_over": percent_over(found.certificate, now=now),
        "safety": safety_of(shown, now=timezone.now(), company_now=now) if has_lost_successor else None,
        **of_credential(place, found),
        "history": _history(found),
        "formats": Format,
        "try_it": try_it(found) if shown.is_live else None,
        "file_name": file_name(found.alias),
        "propagation": propagation(found, now=timezone.now(), company_now=now),
        "propagation_url": reverse("portal:credential_propagation", args=[project_id, environment, credential_id]),
        "keystore_is_awaited": is_awaited(found),
        "user_key": str(place.user.pk),
        "panel": _snooze(place, found) if shown.is_live else None,
        "server_now": in_milliseconds(timezone.now()),
    }
    page = render(request, "portal/credential.html", context)
    if context["keystore_is_awaited"]:
        add_never_cache_headers(page)  # It says what the time is.
    return page


def _snooze(place: Place, found: Credential) -> SnoozePanel | None:
    lifetime = lifetime_of(watched(found))
    url = reverse("portal:credential_snooze", args=[place.project.pk, place.environment, found.pk])
    return snooze_panel(lifetime, url=url, now=timezone.now()) if lifetime is not None else None


def _may_work(shown: Row) -> bool:
    """Whether only production access can be missing."""
    return shown.is_live and shown.status != Status.EXPIRED


def _history(found: Credential) -> list[Entry]:
    events = AuditEvent.objects.filter(project=str(found.project_id), object_type="credential", object_id=str(found.pk))
    return [entry(event) for event in events]


@require_safe
def download(
    request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID, format_name: str
) -> HttpResponse:
    """The certificate as a file, for everybody on the team."""
    place = place_to_see(signed_in(request), project_id, environment)
    found = credential_of(place.project, environment, credential_id)
    if format_name not in Format.values:
        raise Http404
    return file_of(found, Format(format_name)).answer()
