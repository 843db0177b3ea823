"""Nothing opens for who needs a second factor and has none, but the pages where one is set up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from connect.actors import signed_in
from connect.second_factors import SESSION_KEY, has_second_factor
from connect.two_factor_rule import why_needed

View = Callable[..., HttpResponse]
SETUP_PAGE = "account_security"
# The pages of the set-up, the password, and the way out.
_OPEN = {
    SETUP_PAGE,
    "account_totp",
    "account_passkey_add",
    "account_recovery_codes",
    "account_recovery_codes_file",
    "account_reauthenticate",
    "account_change_password",
    "account_logout",
    "admin:logout",
}


class TwoFactorMiddleware:
    """Leads whoever lacks a needed second factor to the set-up page.

    A session that has one is remembered; every other asks anew, so that a role given a moment ago counts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if not settings.TWO_FACTOR_REQUIRED or _is_open(request, view) or not request.user.is_authenticated:
            return None
        if request.session.get(SESSION_KEY):
            return None
        user = signed_in(request)
        if not why_needed(user) or has_second_factor(user):
            return None
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(resolve_url(SETUP_PAGE))
        return redirect(SETUP_PAGE)


def _is_open(request: HttpRequest, view: View) -> bool:
    match = request.resolver_match
    name = match.view_name if match else ""
    is_public = not getattr(view, "login_required", True) and not name.startswith("admin:")
    return is_public or name in _OPEN
