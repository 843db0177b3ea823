"""Snooze a certificate: the page that the signed link of a mail leads to, and what both portals' pages share."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from audit.events import Actor
from connect.actors import actor_of
from connect.clock import is_ahead
from connect.expiry.letter import successor_has_expired
from connect.expiry.snooze import LinkExpired, LinkForged, SnoozeRefused, read_token, snooze, wake
from connect.expiry.sources import Lifetime, lifetime_of, recipients_of
from connect.snooze_form import SnoozePanel, snooze_panel


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def snooze_link(request: HttpRequest, snooze_token: str) -> HttpResponse:
    """Ask first, then snooze. Who got the mail needs not sign in, as long as such mails would still reach them."""
    try:
        link = read_token(snooze_token)
    except LinkExpired:
        return _no(request, "expired", HTTPStatus.GONE)
    except LinkForged:
        return _no(request, "forged", HTTPStatus.NOT_FOUND)
    lifetime = lifetime_of(link.watched)
    if lifetime is None:
        return _no(request, "ended", HTTPStatus.GONE)
    if link.address not in {recipient.address.lower() for recipient in recipients_of(lifetime)}:
        return _no(request, "not-yours", HTTPStatus.FORBIDDEN)
    panel = panel_sent(request, lifetime, url=reverse("connect:snooze_link", args=[snooze_token]))
    if request.method == "POST" and change(
        panel, by=link.address, actor=Actor(link.address, actor_of(request).address)
    ):
        return redirect("connect:snooze_link", snooze_token)
    context = {
        "panel": panel,
        "lifetime": lifetime,
        "is_ahead": is_ahead(lifetime.company),
        "successor_has_expired": successor_has_expired(lifetime, now=panel.now),
        "address": link.address,
    }
    return render(request, "connect/snooze_link.html", context)


def panel_sent(request: HttpRequest, lifetime: Lifetime, *, url: str) -> SnoozePanel:
    """The panel with what was sent, if something was; `Wake up now` sends no day."""
    is_sent = request.method == "POST" and "wake" not in request.POST
    return snooze_panel(lifetime, url=url, now=timezone.now(), sent=request.POST if is_sent else None)


def change(panel: SnoozePanel, *, by: str, actor: Actor) -> bool:
    """Snooze or wake, as was sent. False where that is refused: then the form says why."""
    form, now = panel.form, timezone.now()
    if not form.is_bound:
        wake(panel.lifetime, actor=actor, now=now)
        return True
    if not form.is_valid():
        return False
    try:
        snooze(panel.lifetime, until=form.cleaned_data["until"], by=by, actor=actor, now=now)
    except SnoozeRefused as refusal:
        form.add_error("until", str(refusal))
        return False
    return True


def said(panel: SnoozePanel) -> str:
    """What was done, for the page that follows."""
    name = panel.lifetime.name
    if not panel.form.is_bound:
        return f"{name} is awake.\nThe next notice comes when it is due."
    until = date_format(panel.form.cleaned_data["until"], "j F Y", use_l10n=False)
    return f"{name} is snoozed until {until}.\nUntil then nobody is told that it expires."


def _no(request: HttpRequest, why: str, status: HTTPStatus) -> HttpResponse:
    context = {"why": why, "link_days": settings.SNOOZE_LINK_DAYS}
    return render(request, "connect/snooze_link_over.html", context, status=status)
