"""`Generate a new private key`: the page whose script makes the key, the certificate for it, and the end of it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST

from certauthority.chains import issuers_of
from certauthority.errors import CAError, RequestRefused
from certauthority.x509.request_commands import KeyType, file_name
from certauthority.x509.verdicts import Verdict, broken
from connect.actors import actor_of
from connect.clock import is_ahead
from connect.models import Company
from portal import keystores
from portal.access import credential_of, signed_in
from portal.enrolment import NewCredential
from portal.errors import PredecessorEnded, SubmissionUsed
from portal.forms.add_certificate import AliasField, GenerateKeyForm
from portal.models import Credential, Environment
from portal.preview import valid_until
from portal.production_access import not_yet, standing_in
from portal.requirements import requirement_of
from portal.try_it import keystore_commands
from portal.views.places import Place, place_to_change
from portal.views.refusals import KNOWN, is_our_failure, show_broken_rules, show_refusal
from portal.views.rotating import nothing_to_rotate, predecessor_in, rotating_context
from portal.ways import GENERATE_KEY

# Where the browser puts the moment of the click, so that no two subjects are the same.
_UNIQUE = "<milliseconds>"
_TITLES = {"C": "Country", "O": "Organisation", "OU": "Organisational unit", "CN": "Common name"}

# The first is the default. The browser's code knows them by the first word.
_KEY_TYPES: tuple[tuple[str, KeyType], ...] = (
    ("rsa-2048", "RSA 2048"),
    ("rsa-3072", "RSA 3072"),
    ("rsa-4096", "RSA 4096"),
    ("ec-p256", "EC P-256"),
    ("ec-p384", "EC P-384"),
)


@require_http_methods(["GET", "HEAD", "POST"])
def generate_key(request: HttpRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """The page; and, to its script, JSON: the certificate for a CSR, or why there is none."""
    place = place_to_change(signed_in(request), project_id, environment)
    predecessor = predecessor_in(request, place)
    if request.method == "POST":
        return _create(request, place, predecessor, now=timezone.now())
    if predecessor is not None and predecessor.ended_at is not None:
        return nothing_to_rotate(request, predecessor, page="portal:generate_key")
    page = render(request, "portal/generate_key.html", _page_context(request, place, predecessor, now=timezone.now()))
    add_never_cache_headers(page)  # It says what the time is.
    return page


@require_POST
def keystore_saved(
    request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID
) -> HttpResponse:
    """Somebody has the keystore. A script is answered with nothing, a form with the certificate's page."""
    place = place_to_change(signed_in(request), project_id, environment)
    credential = credential_of(place.project, environment, credential_id)
    if not credential.has_generated_key:
        raise Http404
    is_first = keystores.mark_saved(credential, actor=actor_of(request), now=timezone.now())
    is_script = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    if is_first:
        is_new = is_script and "panel" not in request.POST and credential.ended_at is None
        messages.success(request, _added(credential) if is_new else _noted(credential))
    if is_script:
        return HttpResponse(status=204)
    return redirect("portal:credential", place.project.pk, environment, credential.pk)


def _page_context(
    request: HttpRequest, place: Place, predecessor: Credential | None, *, now: datetime
) -> dict[str, Any]:
    context = rotating_context(place, predecessor)
    requirement = requirement_of(place.project, place.environment)
    upload = reverse("portal:upload_csr", args=[place.project.pk, place.environment])
    return {
        **context,
        "subject": [
            {"label": label, "title": _TITLES[label], "value": value}
            for label, value in requirement.example_subject(_UNIQUE)
        ],
        "subject_json": json.dumps(requirement.example_subject("")),
        "valid_until": _valid_until(place.project.company, now=now),
        "key_types": _KEY_TYPES,
        "production": standing_in(place.project, place.environment),
        "user_key": str(place.user.pk),
        "alias": _good_alias(request.GET.get("alias", "")),
        "upload_url": f"{upload}{context['query']}",
        "months": settings.CLIENT_CERTIFICATE_MONTHS,
        "is_clock_ahead": is_ahead(place.project.company),
        "server_now": keystores.in_milliseconds(now),
        "ended_json": json.dumps(_ended_by_submission(place, now=now)),
        **_secure_address(request),
    }


def _ended_by_submission(place: Place, *, now: datetime) -> dict[str, str | None]:
    """Why copies of keys that wait in a browser are of no use any more."""
    ended = keystores.ended_lately(place.project, place.environment, now=now)
    return {str(credential.submission): _ended(credential) for credential in ended}


def _secure_address(request: HttpRequest) -> dict[str, Any]:
    """This page at the site's own address, if browsers make keys there."""
    site = urlsplit(settings.SITE_URL)
    is_local = site.scheme == "http" and site.hostname in ("localhost", "127.0.0.1", "::1")
    address = f"{settings.SITE_URL}{request.get_full_path()}" if is_local or site.scheme == "https" else ""
    return {"secure_site": settings.SITE_URL, "secure_address": address, "secure_site_is_local": is_local}


def _valid_until(company: Company, *, now: datetime) -> datetime | None:
    try:
        return valid_until(company=company, now=now)
    except CAError:
        return None  # The page works without the date; creating says why the CA cannot sign.


def _good_alias(value: str) -> str:
    try:
        return str(AliasField(required=False).clean(value))
    except ValidationError:
        return ""


def _create(request: HttpRequest, place: Place, predecessor: Credential | None, *, now: datetime) -> JsonResponse:
    form = GenerateKeyForm(request.POST)
    is_valid, content = form.is_valid(), form.content
    if not is_valid:
        verdicts: tuple[Verdict, ...] = ()
        if content:
            judged = GENERATE_KEY.judge(content, project=place.project, environment=place.environment, now=now)
            verdicts = judged.verdicts
            show_broken_rules(form, verdicts)
        return _refused(form, verdicts, status=422)
    new = NewCredential(
        project=place.project,
        environment=place.environment,
        alias=form.cleaned_data["alias"],
        method=GENERATE_KEY.method,
        submission=form.cleaned_data["submission"],
        predecessor=predecessor,
    )
    try:
        credential = GENERATE_KEY.add(new, content, actor=actor_of(request), now=now)
    except KNOWN as refusal:
        show_refusal(form, refusal)
        verdicts = refusal.verdicts if isinstance(refusal, RequestRefused) else ()
        if isinstance(refusal, PredecessorEnded):
            form.add_error(None, "To do that, press “Create certificate” again: this page has let go of the old one.")
            without = reverse("portal:generate_key", args=[place.project.pk, place.environment])
            return _refused(form, status=422, address=without)
        return _refused(form, verdicts, status=_status_of(refusal))
    return _answer({**_described(credential), "usage": [asdict(line) for line in keystore_commands(credential)]})


def _status_of(refusal: Exception) -> int:
    if isinstance(refusal, SubmissionUsed):
        return 409
    return 503 if is_our_failure(refusal) else 422


def _refused(
    form: GenerateKeyForm, verdicts: Iterable[Verdict] = (), *, status: int, address: str = ""
) -> JsonResponse:
    """Sentences by field, ``""`` for those that belong to none, and the rules that the CSR breaks.

    ``address`` names the page to go on with, where this one would refuse everything.
    """
    errors: dict[str, list[str]] = {"alias": [], "csr": [], "": []}
    for name, found in form.errors.items():
        errors["" if name in (NON_FIELD_ERRORS, "submission") else name] += map(str, found)
    rules = [{"title": rule.title, "found": rule.found, "wanted": rule.wanted} for rule in broken(verdicts)]
    said = {"errors": {name: found for name, found in errors.items() if found}, "verdicts": rules}
    return _answer({**said, "address": address} if address else said, status)


def _described(credential: Credential) -> dict[str, Any]:
    """Everything that the browser needs to build the keystore and to lead on from it."""
    certificate = credential.certificate
    place = [credential.project_id, credential.environment]
    chain = [bytes(certificate.der), *issuers_of(certificate)]
    return {
        "credential": {
            "id": str(credential.pk),
            "alias": credential.alias,
            "file_name": file_name(credential.alias),
            "url": reverse("portal:credential", args=[*place, credential.pk]),
            "list_url": f"{reverse('portal:credentials', args=place)}?new={credential.pk}",
            "saved_url": reverse("portal:keystore_saved", args=[*place, credential.pk]),
            "not_after": certificate.not_after.isoformat(),
            "valid_until": f"{certificate.not_after:%-d %B %Y}",
            "ended": _ended(credential),
        },
        "certificates": [b64encode(der).decode() for der in chain],
    }


def _ended(credential: Credential) -> str | None:
    """Why a keystore with this certificate would open nothing; None while it is live."""
    if credential.ended_at is None:
        return None
    return (
        f"{credential.alias} ended on {credential.ended_at:%-d %B %Y at %H:%M} UTC "
        f"({credential.get_end_reason_display()}). What connects with it is refused, so its keystore is of no use. "
        "Create another certificate."
    )


def _answer(content: dict[str, Any], status: int = 200) -> JsonResponse:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return JsonResponse(content, status=status, headers=headers)


def _added(credential: Credential) -> str:
    """What the next page says once the browser has handed over the keystore."""
    said = f"{credential.alias} was added. It expires on {credential.certificate.not_after:%-d %B %Y}.\n"
    said += not_yet(credential)
    if credential.predecessor is None:
        return f"{said}Next: put its keystore where your code finds it, and give your code the password."
    return (
        f"{said}Next: move your code over to its keystore. Once nothing uses {credential.predecessor.alias} any more, "
        "revoke that one."
    )


def _noted(credential: Credential) -> str:
    if credential.ended_at is not None:
        return f"It is noted that the keystore of {credential.alias} is saved.\n{_ended(credential)}"
    return (
        f"It is noted that the keystore of {credential.alias} is saved.\n"
        "If it is ever lost, revoke the certificate and create it again: nobody can recover the key."
    )
