"""The review queue: what Key Management sees of submitted requests, and decides about them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from certauthority.errors import CAError
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.export import pem
from connect.actors import actor_of, signed_in
from connect.models import User
from connect.private_key_guard import names_private_keys
from kmp import access, key_management, review_queue
from kmp.errors import KmpError, NotSignable, OwnRequest
from kmp.forms.review import Decision, DecisionForm
from kmp.models import Application, CertificateRequest, RequestState
from kmp.moves import UNDECIDED
from kmp.progress import history_of, waiting_of
from kmp.signing import judge_again, reason_of
from kmp.views.drafts_shown import judged_context, wanted_context


@require_safe
def review_queue_page(request: HttpRequest) -> HttpResponse:
    """The requests of all companies with their age; what waits longest stands first."""
    access.require_staff(signed_in(request))
    values = {name: str(value) for name, value in request.GET.items()}
    wanted = review_queue.Wanted.read(values)
    page = review_queue.page_of(wanted, after=values.get("after", "")[:16], before=values.get("before", "")[:16])
    context = {
        "wanted": wanted,
        "filters": review_queue.Show,
        "page": page,
        "waiting": review_queue.waiting_count(),
        "applications": Application.objects.all(),
        "now": timezone.now(),
    }
    return _page(request, "kmp/review_queue.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(DecisionForm)
def review(request: HttpRequest, submitted_number: str) -> HttpResponse:
    """One request with everything that a decision needs. One that is decided is shown as it stands."""
    user = signed_in(request)
    access.require_staff(user)
    found = access.submitted_request(submitted_number)
    form, status = DecisionForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            told = _carry_out(form, found, user=user, request=request)
        except NotSignable as refusal:
            form = DecisionForm(initial={"reason": str(refusal)})
            messages.error(request, "Nothing was signed.\nWhat changed stands below, and in the box for the reason.")
        except CAError as error:
            form.add_error(None, f"The CA cannot sign now, and the request waits as before. {error}")
            status = 503
        except KmpError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, told)
            return redirect("kmp:review", submitted_number)
        found = access.submitted_request(submitted_number)
    context = _context(found, user)
    if context.get("obstacles"):
        form.initial.setdefault("reason", reason_of(context["obstacles"]))
    return _page(request, "kmp/review.html", {**context, "form": form}, status=status)


def _carry_out(form: DecisionForm, found: CertificateRequest, *, user: User, request: HttpRequest) -> str:
    """Do what was decided. Returns what to say about it."""
    decision, now, actor = form.cleaned_data["decision"], timezone.now(), actor_of(request)
    if decision == Decision.BEGIN:
        key_management.begin_review(found, by=user, actor=actor, now=now)
        return f"The review of {found.number} has begun. Sign or reject it below."
    if decision == Decision.SIGN:
        entry = key_management.sign(found, by=user, actor=actor, now=now)
        return f"{found.number} was signed as {entry.reference}. Its officers are told by e-mail."
    key_management.reject(found, reason=form.cleaned_data["reason"], by=user, actor=actor, now=now)
    return f"{found.number} was rejected. Its officers are told by e-mail, with your reason."


def _context(found: CertificateRequest, user: User) -> dict[str, Any]:
    now = timezone.now()
    context: dict[str, Any] = {
        "found": found,
        "now": now,
        "history": history_of(found),
        "waiting": waiting_of(found, now=now),
        "is_undecided": found.state in UNDECIDED,
        "is_in_review": found.state == RequestState.IN_REVIEW and found.decide_at is None,
        "own_sentence": _own_sentence(found, user),
    }
    if found.state not in UNDECIDED:
        return context
    judged, obstacles = judge_again(found, now=now)
    csr = judged.request.csr
    wanted = wanted_context(
        found.application, found.environment, found.profile, company=found.company, expiring=found.expiring, now=now
    )
    return {**context, **judged_context(judged), **wanted, "obstacles": obstacles, **_csr_context(csr)}


def _csr_context(csr: ParsedCsr | None) -> dict[str, Any]:
    return {"csr": csr, "csr_pem": pem(csr.der, label="CERTIFICATE REQUEST") if csr else ""}


def _own_sentence(found: CertificateRequest, user: User) -> str:
    try:
        key_management.refuse_own(found, user)
    except OwnRequest as refusal:
        return str(refusal)
    return ""


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    context = {**context, "section": "review", "officer": access.officer_if_any(request)}
    return render(request, template, context, status=status)
