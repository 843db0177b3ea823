"""From a request to the person behind it, and to the words of the audit log."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from audit.events import Actor
from connect.models import User


def signed_in(request: HttpRequest) -> User:
    """The person behind the request; sign-in is required by middleware."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person and the address the request came from."""
    user = request.user
    name = user.email if isinstance(user, User) else "anonymous"
    return Actor(name=name, address=str(request.META.get("REMOTE_ADDR", ""))[:45])
