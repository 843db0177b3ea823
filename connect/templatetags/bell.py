"""The bell in the top bar."""

from __future__ import annotations

from django.conf import settings
from django.template import Library

from connect import notices
from connect.models import User

register = Library()

AT_MOST = 99


@register.simple_tag
def unread_notices(user: User) -> int:
    """How many notices somebody has not read, counted no further than one more than the bell shows."""
    return notices.unread_count(user, at_most=AT_MOST + 1)


@register.simple_tag
def has_mailbox() -> bool:
    """Whether this site keeps its mail on a page instead of sending it."""
    return bool(settings.HAS_MAILBOX)
