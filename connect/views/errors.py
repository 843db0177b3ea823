"""Pages for requests that are refused, or that cannot be answered now."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django_htmx.middleware import HtmxDetails

from connect.accounts import UNCOUNTED
from connect.away import Service, missing_service

_HTML, _JSON = "text/html", "application/json"
RETRY_AFTER_SECONDS = 10
_SENTENCES = {
    Service.DATABASE: "The site’s database does not answer at the moment. What you sent was most likely not stored.",
    Service.REDIS: "A part of the site, its Redis, does not answer at the moment, and this cannot be done without it.",
}


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403 with the sentence of ``PermissionDenied``, if any, and its ``way`` out: label and URL name."""
    label, name = getattr(exception, "way", ("My Projects", "home"))
    return render(request, "403.html", {"sentence": str(exception or ""), "way": label, "way_name": name}, status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer an error that nobody caught, which is being handled: 503 where a service is away, else 500.

    Neither page looks at the session or the database.
    """
    service = missing_service(sys.exc_info()[1])
    if service is not None:
        return _away(request, service)
    return HttpResponse(render_to_string("500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def status_of(form: BaseForm | None) -> HTTPStatus:
    """The status of a page with this form of sign-in: 503 where it is refused because Redis is away, else 200."""
    problems = form.errors.as_data().values() if form is not None and form.is_bound else ()
    is_away = any(problem.code == UNCOUNTED for found in problems for problem in found)
    return HTTPStatus.SERVICE_UNAVAILABLE if is_away else HTTPStatus.OK


def _away(request: HttpRequest, service: Service) -> HttpResponse:
    """The page; JSON for a script that asks for it; and for htmx the sentence alone, which `answers.js` shows."""
    sentence, status = _SENTENCES[service], HTTPStatus.SERVICE_UNAVAILABLE
    htmx = HtmxDetails(request)
    response: HttpResponse
    if request.get_preferred_type([_HTML, _JSON]) == _JSON:
        response = JsonResponse({"errors": {"": [f"{sentence} Try again in a minute."]}}, status=status)
    elif htmx and not htmx.boosted and not htmx.history_restore_request:
        response = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    else:
        context = {"sentence": sentence, "service": service.known_as}
        response = HttpResponse(render_to_string("503.html", context), status=status)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    add_never_cache_headers(response)
    return response
