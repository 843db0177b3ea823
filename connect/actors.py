"""From a request to the person behind it, and to the words of the audit log."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import cast

from django.http import HttpRequest

from audit.events import Actor, AuditedObject
from connect.models import User


def signed_in(request: HttpRequest) -> User:
    """The person behind the request; sign-in is required by middleware."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person and the address the request came from."""
    user = request.user
    name = user.email if isinstance(user, User) else "anonymous"
    return Actor(name=name, address=str(request.META.get("REMOTE_ADDR", ""))[:45])


def address_of(request: HttpRequest) -> str:
    """The IP address that the request came from; ``::`` where it came through a socket that has none."""
    try:
        return str(ip_address(str(request.META.get("REMOTE_ADDR", ""))))
    except ValueError:
        return "::"


def audited_account(user: User) -> AuditedObject:
    """A person's account, as the audit log names it."""
    company = user.company
    return AuditedObject(
        type="account",
        id=str(user.pk),
        label=user.email,
        company=str(company.pk) if company else "",
        clock_ahead=company.clock_ahead if company else timedelta(0),
    )
