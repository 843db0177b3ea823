"""Refuse what no browser sends to this site, before anything of it reaches a form or the database."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

_NUL = "\x00"
# Forms say in a sentence what is too large for them, so this leaves room above every file that is chosen by mistake.
# Bodies are written to the disk while they are read, before anybody has signed in.
MAX_BODY_BYTES = 64 * 1024 * 1024


class PlainRequestsMiddleware:
    """Answers 400 to NUL in the query or in a cookie, which PostgreSQL cannot store or compare; to a character set
    other than UTF-8, in which Python would find codecs that are no text (``rot13``) or make lone surrogates
    (``unicode_escape``); and to a body of more than 64 MiB, unread.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _refuse_odd(request)
        return self.get_response(request)


def _refuse_odd(request: HttpRequest) -> None:
    """Raises BadRequest, which becomes the page for status 400."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8"):
        raise BadRequest("the request is in a character set other than UTF-8")
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:
        raise BadRequest("the body is too large")
    if "%00" in request.META.get("QUERY_STRING", ""):
        raise BadRequest("the address holds NUL")
    # Within quotes a cookie may hold any octet as a number.
    if any(_NUL in value for value in request.COOKIES.values()):
        raise BadRequest("a cookie holds NUL")
