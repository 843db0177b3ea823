"""New recovery codes are shown for ten minutes in the session that made them, and never again."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

_UNTIL = "recovery_codes_until"
SHOWN_SECONDS = 10 * 60


def begin_showing(request: HttpRequest) -> None:
    """Codes were made: this session may see them."""
    request.session[_UNTIL] = timezone.now().timestamp() + SHOWN_SECONDS


def end_showing(request: HttpRequest) -> None:
    """The person has kept them."""
    request.session.pop(_UNTIL, None)


def are_shown(request: HttpRequest) -> bool:
    """Whether this session may see the codes now."""
    return bool(request.session.get(_UNTIL, 0) > timezone.now().timestamp())
