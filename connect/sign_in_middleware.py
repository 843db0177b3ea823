"""Whoever is not signed in is led to the sign-in page, and back to the page that they were on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from connect import unsent

_HTML, _JSON = "text/html", "application/json"
# What a page that asks whether something has changed adds to its own address.
_POLLING = "seen"


class SignInMiddleware(LoginRequiredMiddleware):
    """Django's own, for browsers; htmx, which asks for a part of a page, is told to leave the page.

    Whose session has ended by itself is told so on the sign-in page.

    htmx follows a redirect by itself, and would put the sign-in page into the page that it was asked from.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: tuple[Any, ...], view_kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        refused = super().process_view(request, view_func, view_args, view_kwargs)
        htmx = HtmxDetails(request)
        if refused is None:
            _let_go_of_unsent(request, view_func)
        else:
            refused = self._after_end(request, view_func, htmx) or refused
        # A whole page is restored from the history by its own rule, which knows no redirect of the browser.
        if refused is None or not htmx or htmx.history_restore_request:
            return refused
        login_url, field = resolve_url(self.get_login_url(view_func)), self.get_redirect_field_name(view_func)
        page = _page_of(request, htmx)
        response = HttpResponseClientRedirect(redirect_to_login(page, login_url, field).url if page else login_url)
        add_never_cache_headers(response)
        return response

    def _after_end(self, request: HttpRequest, view_func: Any, htmx: HtmxDetails) -> HttpResponseBase | None:
        """Tell whose session has ended by itself; a form that was sent meanwhile is kept, and offered afterwards."""
        user = getattr(request.session, "ended_user", "")
        if not user:
            return None
        messages.warning(request, session_ended())
        is_form = request.method == "POST" and not htmx and request.get_preferred_type([_HTML, _JSON]) != _JSON
        if not is_form or not unsent.keep(request, user=user):
            return None
        login_url, field = resolve_url(self.get_login_url(view_func)), self.get_redirect_field_name(view_func)
        return redirect_to_login(resolve_url("account_unsent"), login_url, field)


def _let_go_of_unsent(request: HttpRequest, view_func: Any) -> None:
    """Whoever sends something has decided what becomes of the form that is kept."""
    if request.method == "POST" and getattr(view_func, "login_required", True):
        unsent.forget(request)


def session_ended() -> str:
    """The sentence for whom the time of a session was over."""
    minutes, hours = settings.SESSION_IDLE_SECONDS // 60, settings.SESSION_COOKIE_AGE // 3600
    idle = "a minute" if minutes == 1 else f"{minutes} minutes"
    return (
        f"Your session has ended. It does after {idle} in which nothing is done, and after {hours} hours in any case. "
        "Sign in to go on where you were."
    )


def _page_of(request: HttpRequest, htmx: HtmxDetails) -> str:
    """The address of the page that the request came from; empty where there is none that a browser could open."""
    try:
        address = htmx.current_url_abs_path
    except ValueError:
        address = None  # The header holds no address.
    if address is None:
        address = request.get_full_path() if request.method == "GET" else ""
    parts = urlsplit(address)
    query = QueryDict(parts.query, mutable=True)
    query.pop(_POLLING, None)
    return f"{parts.path}?{query.urlencode(safe='/')}" if query else parts.path
