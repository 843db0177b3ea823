"""`Requests`: the list, one request with its progress, and what its officers may do with it beside the wizard."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from connect.actors import actor_of
from connect.views.htmx_request import HtmxRequest
from kmp import hand_over
from kmp import requests as moves
from kmp.access import Officer, officer_for_object, officer_of, request_of
from kmp.corrections import start_correction
from kmp.errors import KmpError
from kmp.forms.requests import KeyForm
from kmp.models import Application, CertificateRequest, RequestKind, RequestState
from kmp.moves import OPEN, UNDECIDED, is_left_behind
from kmp.progress import history_of, steps_of, token_of, waiting_of
from kmp.request_list import Wanted, page_of
from kmp.views.drafts_shown import is_own_draft


@require_safe
@vary_on_headers("HX-Request")
def requests(request: HtmxRequest) -> HttpResponse:
    """The company's requests. Filter and place stand in the address; htmx swaps the table alone."""
    officer = officer_of(request)
    values = {name: str(value) for name, value in request.GET.items()}
    wanted = Wanted.read(values)
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    context = {
        "officer": officer,
        "section": "requests",
        "page": page_of(
            officer.company, wanted, after=values.get("after", "")[:16], before=values.get("before", "")[:16]
        ),
        "wanted": wanted,
        "query": query.urlencode(),
        "states": RequestState,
        "kinds": RequestKind,
        "applications": Application.objects.all(),
    }
    return render(request, "kmp/_requests.html" if request.htmx else "kmp/requests.html", context)


@require_safe
@vary_on_headers("HX-Request")
def request_page(request: HtmxRequest, number: str) -> HttpResponse:
    """One request. Its page asks for what changed, with ``?seen=``, until nothing more can change by itself."""
    officer = officer_for_object(request)
    found, now = request_of(officer.company, number), timezone.now()
    token = token_of(found, now=now)
    if request.htmx and request.GET.get("seen") == token:
        return HttpResponse(status=204)
    is_left = is_left_behind(found)
    context = {
        "officer": officer,
        "section": "requests",
        "found": found,
        "steps": steps_of(found),
        "waiting": waiting_of(found, now=now),
        "token": token,
        "history": history_of(found),
        "is_undecided": found.state in UNDECIDED,
        "is_own_draft": is_own_draft(found, officer),
        "is_left": is_left,
        "may_take_over": hand_over.may_take_over(found, officer.user),
        "may_cancel": found.state in OPEN and (is_left or found.officer_id == officer.user.pk),
        "correction": KeyForm(initial={"key": uuid.uuid4()}) if found.state == RequestState.REJECTED else None,
    }
    return render(request, "kmp/_request.html" if request.htmx else "kmp/request.html", context)


@require_POST
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Its officer, or another one where that officer left it behind, takes a request back."""
    officer, found = _officer_and_request(request, number)
    try:
        moves.cancel(found, by=officer.user, actor=actor_of(request), now=timezone.now())
    except KmpError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{number} was cancelled. Nothing will be signed for it.")
    return redirect("kmp:request", number)


@require_POST
def take_over(request: HttpRequest, number: str) -> HttpResponse:
    """Go on with the draft of another officer, or stand for a request whose officer left it behind."""
    officer, found = _officer_and_request(request, number)
    try:
        taken = hand_over.take_over(found, by=officer.user, actor=actor_of(request), now=timezone.now())
    except KmpError as refusal:
        messages.error(request, str(refusal))
        return redirect("kmp:request", number)
    if taken.state != RequestState.DRAFT:
        messages.success(request, f"{number} is your request now. It waits for its decision as before.")
        return redirect("kmp:request", number)
    messages.success(request, f"{number} is your draft now. Everything in it is as it was left.")
    return redirect("kmp:request_csr", number)


@require_POST
def correct(request: HttpRequest, number: str) -> HttpResponse:
    """`Correct and submit again`: a new draft, filled from a rejected request."""
    officer, found = _officer_and_request(request, number)
    form = KeyForm(request.POST)
    form.is_valid()
    try:
        draft = start_correction(
            found, key=form.cleaned_data["key"], by=officer.user, actor=actor_of(request), now=timezone.now()
        )
    except KmpError as refusal:
        messages.error(request, str(refusal))
        return redirect("kmp:request", number)
    return redirect("kmp:request_csr", draft.number)


def _officer_and_request(request: HttpRequest, number: str) -> tuple[Officer, CertificateRequest]:
    officer = officer_for_object(request)
    return officer, request_of(officer.company, number)
