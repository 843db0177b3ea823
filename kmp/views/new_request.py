"""`New request`: what a new certificate is for, at the beginning and whenever the draft is looked at again."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of
from connect.private_key_guard import names_private_keys
from kmp import drafts
from kmp.access import Officer, officer_for_object, officer_of, request_of
from kmp.errors import KmpError
from kmp.forms.requests import DetailsForm
from kmp.models import CertificateRequest, RequestKind
from kmp.views.drafts_shown import is_own_draft


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(DetailsForm)
def new_request(request: HttpRequest) -> HttpResponse:
    """Ask what a new certificate is for, and begin a draft with the answer."""
    officer = officer_of(request)
    if request.method != "POST":
        form = DetailsForm(initial={"key": uuid.uuid4(), "contact": officer.user.email})
        return _page(request, officer, form, None)
    form = DetailsForm(request.POST)
    if form.is_valid():
        try:
            draft = _start(request, officer, form)
        except KmpError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("kmp:request_csr", draft.number)
    return _page(request, officer, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(DetailsForm)
def details(request: HttpRequest, number: str) -> HttpResponse:
    """The same questions for a draft that has begun."""
    officer = officer_for_object(request)
    draft = request_of(officer.company, number)
    if draft.kind != RequestKind.NEW:
        return redirect("kmp:request_csr", number)
    if request.method != "POST":
        if not is_own_draft(draft, officer):
            return redirect("kmp:request", number)
        return _page(request, officer, DetailsForm(initial=_initial(draft)), draft)
    form = DetailsForm(request.POST)
    if form.is_valid():
        try:
            _save(request, officer, form, draft)
        except KmpError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("kmp:request_csr", number)
    return _page(request, officer, form, draft)


def _start(request: HttpRequest, officer: Officer, form: DetailsForm) -> CertificateRequest:
    draft = drafts.start_new(
        officer.user,
        key=form.cleaned_data["key"],
        application=form.cleaned_data["application"],
        environment=form.cleaned_data["environment"],
        profile=form.cleaned_data["profile"],
        contact=form.cleaned_data["contact"],
        actor=actor_of(request),
        now=timezone.now(),
    )
    # Who goes back in the browser and changes an answer sends the same form again.
    return _save(request, officer, form, draft) if is_own_draft(draft, officer) else draft


def _save(request: HttpRequest, officer: Officer, form: DetailsForm, draft: CertificateRequest) -> CertificateRequest:
    return drafts.save_details(
        draft,
        application=form.cleaned_data["application"],
        environment=form.cleaned_data["environment"],
        contact=form.cleaned_data["contact"],
        by=officer.user,
        actor=actor_of(request),
        now=timezone.now(),
    )


def _initial(draft: CertificateRequest) -> dict[str, str]:
    application = draft.application.code if draft.application else ""
    return {"application": application, "environment": draft.environment, "contact": draft.contact}


def _page(request: HttpRequest, officer: Officer, form: DetailsForm, draft: CertificateRequest | None) -> HttpResponse:
    context = {"officer": officer, "section": "requests", "form": form, "draft": draft}
    return render(request, "kmp/new_request.html", context)
