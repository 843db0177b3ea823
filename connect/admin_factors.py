"""Help for who lost a phone or key: staff remove every second factor of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from connect.actors import actor_of, signed_in
from connect.errors import ConnectError
from connect.models import User
from connect.second_factors import factors_of, remove_all

# A generic class for the type checker only: Django's own cannot be subscripted when the site runs.
if TYPE_CHECKING:
    UserModelAdmin = admin.ModelAdmin[User]
else:
    UserModelAdmin = admin.ModelAdmin


@admin.action(description="Remove two-factor sign-in (phone or key is lost)", permissions=["change"])
def remove_second_factors(page: UserModelAdmin, request: HttpRequest, users: QuerySet[User]) -> None:
    """Remove the factors of each chosen account, end its sessions, and tell its owner."""
    for user in users:
        if not page.has_change_permission(request, user):
            page.message_user(request, f"You may not change the account {user.email}.", messages.ERROR)
            continue
        try:
            remove_all(user, by=signed_in(request), actor=actor_of(request), now=timezone.now())
        except ConnectError as error:
            page.message_user(request, str(error), messages.WARNING)
        else:
            page.message_user(request, f"Two-factor sign-in of {user.email} is removed, and its sessions have ended.")


def factors_in_words(user: Any) -> str:
    """What an account has, for its page in the admin."""
    factors = factors_of(user)
    app = ["authenticator app"] if factors.app else []
    keys = [f"passkey “{passkey.name}”" for passkey in factors.passkeys]
    return ", ".join([*app, *keys]) or "none"
