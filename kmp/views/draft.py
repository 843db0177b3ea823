"""The steps of the wizard from the CSR on. The draft on the server is its state; a form only tells what it showed."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of
from connect.clock import company_time
from connect.private_key_guard import names_private_keys
from kmp import drafts
from kmp.access import Officer, officer_for_object, request_of
from kmp.errors import KmpError
from kmp.forms.requests import CsrForm, ReviewForm
from kmp.judgement import judge
from kmp.models import CertificateRequest
from kmp.requests import submit as submit_request
from kmp.requests import was_submitted
from kmp.shown import digest_of, hold_as_shown
from kmp.views.drafts_shown import is_own_draft, judged_context, wanted_context


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(CsrForm)
def csr(request: HttpRequest, number: str) -> HttpResponse:
    """`Upload CSR`: take a CSR into the draft. One that is there already stays where no other is sent."""
    officer, draft = _officer_and_draft(request, number)
    if request.method != "POST":
        if not is_own_draft(draft, officer):
            return redirect("kmp:request", number)
        return _csr_page(request, officer, draft, CsrForm(has_one=bool(draft.csr)))
    form = CsrForm(request.POST, request.FILES, has_one=bool(draft.csr))
    if form.is_valid():
        try:
            _keep_csr(request, officer, draft, form)
        except KmpError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("kmp:request_review", number)
    form.ask_for_file_again()
    return _csr_page(request, officer, draft, form)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(ReviewForm)
def review(request: HttpRequest, number: str) -> HttpResponse:
    """The CSR's values beside what is wanted. `Check again` keeps the form, with a corrected CSR if one is sent."""
    officer, draft = _officer_and_draft(request, number)
    if request.method != "POST":
        if not is_own_draft(draft, officer):
            return redirect("kmp:request", number)
        if not draft.csr:
            return redirect("kmp:request_csr", number)
        return _review_page(request, officer, draft, _unsent(draft))
    form = ReviewForm(request.POST, request.FILES, has_one=bool(draft.csr))
    _keep(request, officer, draft, form)
    if not form.errors:
        return redirect("kmp:request_review", number)
    return _review_page(request, officer, draft, form)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(ReviewForm)
def submit(request: HttpRequest, number: str) -> HttpResponse:
    """`Submit`: keep the form and hand the request in. A corrected CSR that comes with it is reviewed first."""
    officer, draft = _officer_and_draft(request, number)
    if request.method != "POST":
        return redirect("kmp:request_review", number)
    if was_submitted(draft, by=officer.user):
        return redirect("kmp:request", number)
    form = ReviewForm(request.POST, request.FILES, has_one=bool(draft.csr))
    _keep_and_submit(request, officer, draft, form)
    if not form.errors and form.content:
        messages.info(request, "Your new CSR is in place.\nLook at its values below, then submit.")
        return redirect("kmp:request_review", number)
    draft = request_of(officer.company, number)
    if was_submitted(draft, by=officer.user):
        return redirect("kmp:request", number)
    return _review_page(request, officer, draft, form)


def _officer_and_draft(request: HttpRequest, number: str) -> tuple[Officer, CertificateRequest]:
    officer = officer_for_object(request)
    return officer, request_of(officer.company, number)


def _unsent(draft: CertificateRequest) -> ReviewForm:
    return ReviewForm(initial={"names": ", ".join(draft.alternative_names), "contact": draft.contact}, has_one=True)


@transaction.atomic
def _keep(request: HttpRequest, officer: Officer, draft: CertificateRequest, form: ReviewForm) -> None:
    """Keep everything in the form that is right, whatever else is wrong with it, unless its page is out of date."""
    form.is_valid()
    now, actor, sent = timezone.now(), actor_of(request), form.cleaned_data
    names, contact = sent.get("names"), sent.get("contact")
    try:
        row = hold_as_shown(draft, sent["shown"], csr=form.content, names=names, contact=contact, by=officer.user)
        if form.content:
            _keep_csr(request, officer, draft, form)
        names = row.alternative_names if names is None else names
        contact = row.contact if contact is None else contact
        drafts.save_names(draft, names, contact=contact, by=officer.user, actor=actor, now=now)
    except KmpError as refusal:
        form.add_error(None, str(refusal))
        form.ask_for_file_again()


@transaction.atomic
def _keep_and_submit(request: HttpRequest, officer: Officer, draft: CertificateRequest, form: ReviewForm) -> None:
    """The draft is held from the look at what its page showed to the end, so that exactly that is submitted."""
    _keep(request, officer, draft, form)
    if form.errors or form.content:
        return
    try:
        submit_request(draft, by=officer.user, actor=actor_of(request), now=timezone.now())
    except KmpError as refusal:
        form.add_error(None, str(refusal))


def _keep_csr(request: HttpRequest, officer: Officer, draft: CertificateRequest, form: CsrForm) -> None:
    if form.content:
        drafts.save_csr(
            draft, form.content, name=form.file_name, by=officer.user, actor=actor_of(request), now=timezone.now()
        )


def _csr_page(request: HttpRequest, officer: Officer, draft: CertificateRequest, form: CsrForm) -> HttpResponse:
    context = {
        **_context(officer, draft, form),
        **wanted_context(
            draft.application,
            draft.environment,
            draft.profile,
            company=officer.company,
            expiring=draft.expiring,
            now=timezone.now(),
        ),
    }
    return render(request, "kmp/upload_csr.html", context)


def _review_page(request: HttpRequest, officer: Officer, draft: CertificateRequest, form: ReviewForm) -> HttpResponse:
    now: datetime = timezone.now()
    draft = request_of(officer.company, draft.number)  # What of the form was right has been kept by now.
    context = {
        **_context(officer, draft, form),
        **judged_context(judge(draft, now=now)),
        "shown": digest_of(draft),
        "expiring": draft.expiring,
        "csr_size": f"{len(bytes(draft.csr)):,}",
        "names_hint": _names_hint(len(draft.alternative_names)),
        "now": company_time(officer.company, now),
    }
    return render(request, "kmp/review_csr.html", context)


def _names_hint(understood: int) -> str:
    hint = "If needed: domain names, separated by commas."
    return f"{hint} {understood} name{'' if understood == 1 else 's'} understood." if understood else hint


def _context(officer: Officer, draft: CertificateRequest, form: CsrForm) -> dict[str, object]:
    return {
        "officer": officer,
        "section": "requests",
        "draft": draft,
        "form": form,
        "is_own": is_own_draft(draft, officer),
    }
