"""What a person chooses about notices: the weekly digest, and the address of a calendar."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from audit.events import Actor
from connect import preferences
from connect.actors import actor_of, address_of, signed_in
from connect.clock import is_ahead
from connect.expiry import calendar, digest
from connect.expiry.forecast import in_words
from connect.models import User
from connect.notices import absolute


@require_http_methods(["GET", "HEAD", "POST"])
def notice_settings(request: HttpRequest) -> HttpResponse:
    """Who is told what and when, and what this person gets besides; a POST sets the weekly digest."""
    user = signed_in(request)
    if request.method != "POST":
        return _page(request, user)
    weekly = request.POST.get("weekly_digest") == "on"
    if preferences.choose_digest(user, weekly=weekly, actor=actor_of(request), now=timezone.now()):
        said = "You get the weekly digest from next Monday on." if weekly else "You get no weekly digest any more."
        messages.success(request, said)
    return redirect("connect:notice_settings")


@never_cache
@require_POST
def calendar_address(request: HttpRequest) -> HttpResponse:
    """Make the address of one's calendar, make it anew, or end it. A new one is shown in this answer alone."""
    user, now = signed_in(request), timezone.now()
    if request.POST.get("do") == "make":
        secret = preferences.make_calendar_address(user, actor=actor_of(request), now=now)
        return _page(request, user, address=absolute(reverse("connect:calendar_feed", args=[secret])))
    if request.POST.get("do") == "end" and preferences.end_calendar_address(user, actor=actor_of(request), now=now):
        messages.success(request, "Your calendar’s address has ended. It opens nothing any more.")
    return redirect("connect:notice_settings")


@csrf_exempt  # A mail program that unsubscribes with one click has no cookie (RFC 8058, 3.2); others pass the check.
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def digest_unsubscribe(request: HttpRequest, digest_token: str) -> HttpResponseBase:
    """End the weekly digest by the link of a mail: a click of the mail program, or a page that asks first."""
    user = digest.reader_of(digest_token)
    if request.method == "POST" and request.POST.get("List-Unsubscribe") == "One-Click":
        if user is None:
            raise Http404
        _end_digest(request, user)
        return HttpResponse("You get no weekly digest any more.", content_type="text/plain; charset=utf-8")
    return _ask_first(request, user)


@csrf_protect
def _ask_first(request: HttpRequest, user: User | None) -> HttpResponse:
    if user is None:
        return render(request, "connect/digest_link_wrong.html", status=HTTPStatus.NOT_FOUND)
    is_done = request.method == "POST"
    if is_done:
        _end_digest(request, user)
    has_digest = preferences.preference_of(user).weekly_digest
    context = {"address": user.email, "has_digest": has_digest, "is_done": is_done}
    return render(request, "connect/digest_unsubscribe.html", context)


def _end_digest(request: HttpRequest, user: User) -> None:
    actor = Actor(user.email, address_of(request))
    preferences.choose_digest(user, weekly=False, actor=actor, now=timezone.now())


def _page(request: HttpRequest, user: User, *, address: str = "") -> HttpResponse:
    context = {
        "preference": preferences.preference_of(user),
        "address": address,
        "thresholds": [in_words(days) for days in sorted(settings.NOTICE_THRESHOLD_DAYS, reverse=True)],
        "digest_days": digest.DUE_DAYS,
        "alarm_days": calendar.ALARM_DAYS,
        "is_ahead": is_ahead(user.company),
    }
    return render(request, "connect/notice_settings.html", context)
