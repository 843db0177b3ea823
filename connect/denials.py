"""Every refusal of an object or a page is in the audit log: who asked for what, from where, when, and which answer.

A page that does not exist and one that is another company's are refused alike, and both are recorded alike: looking up
which it was would take time that tells. An event belongs to the company of the person who asked, never to the one that
was asked about, and names no object by its own type: it stands in no history but the whole log, which staff read.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from redis.exceptions import RedisError

from audit.events import AuditedObject, record
from connect.actors import actor_of, signed_in
from connect.text import one_line

log = logging.getLogger(__name__)

ACTION = "access.denied"
# The last event of an hour: what comes after it is in the web server's log alone.
ACTION_MANY = "access.denied-often"
WINDOW_SECONDS = 60 * 60
_ID_LENGTH = 64


class DenialMiddleware:
    """Records that a signed-in person was refused, with 404 or 403; strangers are led to the sign-in page instead.

    Each person has ``DENIALS_AN_HOUR`` such events, and then one that says so: a scanner cannot fill the log. While
    Redis is away nothing is counted, and every refusal is recorded: nobody hides by taking Redis out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Django calls this for what a view raises; an address that no view has is nobody's object."""
        if not isinstance(exception, (Http404, PermissionDenied)) or not request.user.is_authenticated:
            return
        if _is_public(request):
            return
        status = 404 if isinstance(exception, Http404) else 403
        try:
            _record(request, status=status)
        except DatabaseError as error:
            # The answer is a refusal either way.
            log.error("A refusal could not be written to the audit log: %s", type(error).__name__)


def _is_public(request: HttpRequest) -> bool:
    """Public pages belong to nobody, or to who has the secret in their address, which must not stand in a log."""
    match = request.resolver_match
    return match is None or not getattr(match.func, "login_required", True)


def _record(request: HttpRequest, *, status: int) -> None:
    user = signed_in(request)
    count = _count(str(user.pk))
    log.warning("Refused with %s: refusal %s of this person within the hour.", status, count)
    if count > settings.DENIALS_AN_HOUR + 1:
        return
    is_last = count > settings.DENIALS_AN_HOUR
    match = request.resolver_match
    name = match.view_name if match else ""
    given = {key: one_line(str(value), at_most=_ID_LENGTH) for key, value in (match.kwargs if match else {}).items()}
    record(
        ACTION_MANY if is_last else ACTION,
        actor=actor_of(request),
        on=AuditedObject(
            type="address",
            id=next(reversed(given.values()), ""),  # The object stands last in an address, after what it belongs to.
            label=f"{request.method} {name}",
            company=str(user.company_id or ""),
        ),
        now=timezone.now(),
        after={"status": status, **given},
    )


def _count(person: str) -> int:
    """How many refusals this person has had within the hour, this one among them; 1 where nobody can tell."""
    key = f"denials:{hashlib.sha256(person.encode()).hexdigest()}"
    try:
        # Single commands of Redis: no two processes get the same number.
        cache.add(key, 0, timeout=WINDOW_SECONDS)
        return int(cache.incr(key))
    except (RedisError, OSError, ValueError):
        return 1
