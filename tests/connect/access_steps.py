"""Decisions on requests for access at one moment, and who was told of them."""

from __future__ import annotations

from datetime import UTC, datetime

from audit.events import Actor
from connect import access_requests
from connect.models import AccessRequest, Channel, Notice, User

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def decide(request: AccessRequest, by: User, *, grant: bool = True, reason: str = "") -> AccessRequest:
    """The request as somebody has decided on it at ``NOW``."""
    return access_requests.decide(request, by=by, grant=grant, reason=reason, actor=Actor(by.email), now=NOW)


def told(kind: str) -> list[str]:
    """Who got a mail of this kind, in alphabetical order."""
    return sorted(Notice.objects.filter(kind=kind, channel=Channel.MAIL).values_list("address", flat=True))
