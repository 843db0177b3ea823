"""`Add certificate`: the options, their forms, and the check while a form is being filled."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connect.actors import actor_of
from connect.private_key_guard import names_private_keys
from portal.access import signed_in
from portal.enrolment import NewCredential
from portal.forms.add_certificate import (
    AddCertificateForm,
    CheckCertificateForm,
    CheckCsrForm,
    CheckForm,
    PasteCsrForm,
    UploadCertificateForm,
    UploadCsrForm,
)
from portal.models import Credential, Environment
from portal.production_access import not_yet
from portal.views.judgement import judgement_context
from portal.views.places import Place, place_to_change
from portal.views.refusals import KNOWN, is_our_failure, show_broken_rules, show_refusal
from portal.views.rotating import nothing_to_rotate, predecessor_in, rotating_context
from portal.ways import PASTE_CSR, UPLOAD_CERTIFICATE, UPLOAD_CSR, Judged, Way


@dataclass(frozen=True, slots=True)
class _Page:
    """The page of one option."""

    way: Way
    form: type[AddCertificateForm]
    template: str
    check_url_name: str


_UPLOAD_CSR = _Page(UPLOAD_CSR, UploadCsrForm, "portal/upload_csr.html", "portal:check_csr")
_PASTE_CSR = _Page(PASTE_CSR, PasteCsrForm, "portal/paste_csr.html", "portal:check_csr")
_UPLOAD_CERTIFICATE = _Page(
    UPLOAD_CERTIFICATE, UploadCertificateForm, "portal/upload_certificate.html", "portal:check_certificate"
)


@require_safe
def choose(request: HttpRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """The options. With ``?rotate=`` it explains a rotation, and every option notes the predecessor."""
    place = place_to_change(signed_in(request), project_id, environment)
    predecessor = predecessor_in(request, place)
    if predecessor is not None and predecessor.ended_at is not None:
        return nothing_to_rotate(request, predecessor, page="portal:add_certificate")
    return render(request, "portal/add_certificate.html", rotating_context(place, predecessor))


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(UploadCsrForm)
def upload_csr(request: HttpRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """`Upload a CSR`."""
    return _add(request, _UPLOAD_CSR, project_id=project_id, environment=environment)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(PasteCsrForm)
def paste_csr(request: HttpRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """`Paste in a CSR`."""
    return _add(request, _PASTE_CSR, project_id=project_id, environment=environment)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(UploadCertificateForm)
def upload_certificate(request: HttpRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """`Upload mTLS certificate`."""
    return _add(request, _UPLOAD_CERTIFICATE, project_id=project_id, environment=environment)


@require_POST
@names_private_keys(CheckCsrForm)
def check_csr(request: HttpRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """The verdicts on a CSR that has not been submitted. Nothing is stored."""
    form = CheckCsrForm(request.POST, request.FILES)
    return _check(request, UPLOAD_CSR, form, project_id=project_id, environment=environment)


@require_POST
@names_private_keys(CheckCertificateForm)
def check_certificate(request: HttpRequest, project_id: UUID, environment: Environment) -> HttpResponse:
    """The verdicts on a certificate that has not been submitted. Nothing is stored."""
    form = CheckCertificateForm(request.POST, request.FILES)
    return _check(request, UPLOAD_CERTIFICATE, form, project_id=project_id, environment=environment)


def _add(request: HttpRequest, page: _Page, *, project_id: UUID, environment: Environment) -> HttpResponse:
    """Show the form of one option, or act on it."""
    now = timezone.now()
    place = place_to_change(signed_in(request), project_id, environment)
    predecessor = predecessor_in(request, place)
    if request.method != "POST":
        if predecessor is not None and predecessor.ended_at is not None:
            return nothing_to_rotate(request, predecessor, page="portal:add_certificate")
        form = page.form(initial={"submission": uuid.uuid4()})
        return _form_page(request, page, form, None, place=place, predecessor=predecessor)
    form = page.form(request.POST, request.FILES)
    is_valid, content, judged, status = form.is_valid(), form.content, None, 200
    if is_valid:
        new = _new(page, form, place, predecessor)
        try:
            credential = page.way.add(new, content, actor=actor_of(request), now=now)
        except KNOWN as refusal:
            show_refusal(form, refusal)
            status = 503 if is_our_failure(refusal) else 200
        else:
            return _added(request, credential, new)
    if content:
        judged = page.way.judge(content, project=place.project, environment=environment, now=now)
    if judged is not None and not is_valid:
        show_broken_rules(form, judged.verdicts)
    return _form_page(request, page, form, judged, place=place, predecessor=predecessor, status=status)


def _new(page: _Page, form: AddCertificateForm, place: Place, predecessor: Credential | None) -> NewCredential:
    return NewCredential(
        project=place.project,
        environment=place.environment,
        alias=form.cleaned_data["alias"],
        method=page.way.method,
        submission=form.cleaned_data["submission"],
        predecessor=predecessor,
    )


def _added(request: HttpRequest, credential: Credential, new: NewCredential) -> HttpResponse:
    """Go to the table, where the new row is marked and a panel says how to use the certificate."""
    until = f"{credential.certificate.not_after:%-d %B %Y}"
    added = f"{credential.alias} was added. It expires on {until}.\n{not_yet(credential)}"
    if credential.alias != new.alias:
        messages.warning(
            request,
            f"This form had already added {credential.alias}, so nothing more was added.\n"
            "For another certificate, choose Add certificate again.",
        )
    elif credential.predecessor is not None:
        messages.success(
            request,
            f"{added}Next: download it and move your code over to it. "
            f"Once nothing uses {credential.predecessor.alias} any more, revoke that one.",
        )
    else:
        messages.success(
            request,
            f"{added}Next: download it, and put it where your code finds it beside its private key.",
        )
    address = reverse("portal:credentials", args=[credential.project_id, credential.environment])
    return redirect(f"{address}?new={credential.pk}")


def _form_page(
    request: HttpRequest,
    page: _Page,
    form: AddCertificateForm,
    judged: Judged | None,
    *,
    place: Place,
    predecessor: Credential | None,
    status: int = 200,
) -> HttpResponse:
    if form.is_bound and not form.content_is_kept:
        form.add_error(form.content_name, "Choose the file again: browsers do not keep it.")
    context = {
        **rotating_context(place, predecessor),
        **judgement_context(place, page.way, judged, alias=_alias(form), now=timezone.now()),
        "form": form,
        "check_url": reverse(page.check_url_name, args=[place.project.pk, place.environment]),
    }
    return render(request, page.template, context, status=status)


def _check(
    request: HttpRequest, way: Way, form: CheckForm, *, project_id: UUID, environment: Environment
) -> HttpResponse:
    now = timezone.now()
    place = place_to_change(signed_in(request), project_id, environment)
    form.is_valid()
    judged = None
    if form.content:
        judged = way.judge(form.content, project=place.project, environment=environment, now=now)
    context = judgement_context(place, way, judged, alias=_alias(form), now=now)
    return render(request, "portal/_checked.html", {**place.context, **context, "problems": form.content_errors})


def _alias(form: AddCertificateForm | CheckForm) -> str:
    """The alias, where it is a good one."""
    return str(form.cleaned_data.get("alias", "")) if form.is_bound else ""
