"""The page ``Clock``: a company's own time, moved and put back by who may; and the list of companies for staff."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from connect import access
from connect.actors import actor_of, signed_in
from connect.clock import company_time, is_ahead
from connect.clock_forms import ClocksForm, MoveForm, Show, StateForm
from connect.clock_moves import ClockMovedMeanwhile, ClockRefused, in_words, start_over
from connect.clock_page import clock_page, current_run
from connect.expiry.jumping import destination, jump
from connect.models import Company
from connect.views.htmx_request import HtmxRequest

PAGE_SIZE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def clock(request: HtmxRequest) -> HttpResponse:
    """The clock of one's own company; for staff, the list of all companies."""
    user = signed_in(request)
    if not user.is_staff:
        return _clock(request, access.own_clock_of(user))
    if request.method == "POST":
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return _clocks(request)


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def company_clock(request: HtmxRequest, company_id: UUID) -> HttpResponse:
    """The clock of one company."""
    return _clock(request, access.clock_of(signed_in(request), company_id))


@require_http_methods(["GET", "HEAD", "POST"])
def clock_start_over(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Ask, and put the clock back to real time."""
    user = signed_in(request)
    company = access.clock_of(user, company_id)
    form = StateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        state, now = form.cleaned_data["state"], timezone.now()
        try:
            start_over(company, by=user, actor=actor_of(request), now=now, state=state)
        except ClockRefused as refusal:
            messages.info(request, str(refusal))
        else:
            messages.success(
                request,
                f"The clock of {company.name} shows real time again, {in_words(now)}. Real notices come as they would "
                "have come without the clock run.",
            )
        return redirect("connect:company_clock", company.pk)
    context = {"clock": clock_page(company, user, now=timezone.now()), "run": current_run(company), "form": form}
    return render(request, "connect/clock_start_over.html", context)


def _clock(request: HtmxRequest, company: Company) -> HttpResponse:
    user, now = signed_in(request), timezone.now()
    sent = request.POST if request.method == "POST" else None
    form = MoveForm(sent, now=now, company_now=company_time(company, now))
    if request.method == "POST" and form.is_valid():
        step, on, state = form.cleaned_data["step"], form.cleaned_data["on"], form.cleaned_data["state"]
        try:
            to = destination(company, step, now=now, on=on)
            moved = jump(company, to=to, by=user, actor=actor_of(request), now=now, state=state)
        except ClockMovedMeanwhile as refusal:
            messages.info(request, str(refusal))
            return redirect(request.path)
        except ClockRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The clock of {company.name} shows {in_words(moved.to_at)} now.")
            return redirect(request.path)
    shown = clock_page(company, user, now=now)
    context = {"clock": shown, "form": form, "here": request.path}
    if not request.htmx:
        return render(request, "connect/clock.html", context)
    return render(request, "connect/_clock_caused.html", context) if shown.caused else HttpResponseClientRefresh()


def _clocks(request: HttpRequest) -> HttpResponse:
    form = ClocksForm(request.GET)
    found = Company.objects.order_by("name", "pk")
    is_valid = form.is_valid()
    words, show = (form.cleaned_data["q"], form.cleaned_data["show"]) if is_valid else ("", Show.ALL)
    if words:
        found = found.filter(Q(name__icontains=words) | Q(cid=words))
    if show is Show.AHEAD:
        found = found.filter(clock_run__isnull=False)
    page, now = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")), timezone.now()
    rows = [(company, is_ahead(company), company_time(company, now)) for company in page]
    context = {"form": form, "words": words, "show": show, "filters": Show, "page": page, "rows": rows, "now": now}
    return render(request, "connect/clocks.html", context)
