"""The calendar feed: for calendar programs, which cannot sign in. The secret is in its address."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from connect.calendar_limit import is_read_too_often
from connect.expiry.calendar import feed_of
from connect.preferences import owner_of_calendar

_LONGEST_SECRET = 100


@login_not_required
@require_safe
def calendar_feed(request: HttpRequest, calendar_secret: str) -> HttpResponse:
    """The certificates that the owner of the address may see today. 404 for every other address."""
    owner = owner_of_calendar(calendar_secret) if len(calendar_secret) <= _LONGEST_SECRET else None
    if owner is None:
        return _unlogged(_plain("There is no calendar at this address.", HTTPStatus.NOT_FOUND))
    if is_read_too_often(calendar_secret):
        refusal = _plain("This calendar was read too often. Try again in an hour.", HTTPStatus.TOO_MANY_REQUESTS)
        refusal["Retry-After"] = "3600"
        return _unlogged(refusal)
    feed = feed_of(owner, now=timezone.now())
    etag = quote_etag(hashlib.sha256(feed).hexdigest())
    response = HttpResponse(feed, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="certificates.ics"'
    response["ETag"] = etag
    response["X-Robots-Tag"] = "noindex"
    patch_cache_control(response, private=True, no_cache=True)  # Each look is judged anew.
    answer = get_conditional_response(request, etag=etag, response=response)
    return answer if isinstance(answer, HttpResponse) else response


def _plain(text: str, status: HTTPStatus) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
    patch_cache_control(response, no_store=True)
    return response


def _unlogged(response: HttpResponse) -> HttpResponse:
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  Django's line would hold the secret
    return response
