"""What people are told about their second factors. Called inside the transaction that makes the change."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from connect import notices
from connect.models import User


def tell_added(user: User, factor: str, *, event: str, is_first: bool, now: datetime) -> None:
    """A factor was added."""
    _tell("account.two-factor-added", user, event=event, now=now, context={"factor": factor, "is_first": is_first})


def tell_removed(user: User, factor: str, *, event: str, is_last: bool, by_staff: bool, now: datetime) -> None:
    """A factor was removed, by its owner or by staff."""
    context = {"factor": factor, "is_last": is_last, "by_staff": by_staff}
    _tell("account.two-factor-removed", user, event=event, now=now, context=context)


def tell_codes_made(user: User, *, event: str, now: datetime) -> None:
    """New recovery codes replaced the old ones."""
    _tell("account.recovery-codes-made", user, event=event, now=now, context={})


def tell_code_used(user: User, *, event: str, left: int, now: datetime) -> None:
    """A recovery code was used, and how many are left."""
    _tell("account.recovery-code-used", user, event=event, now=now, context={"left": left})


def tell_locked(user: User, *, now: datetime) -> None:
    """So many wrong codes followed the right password that the account is locked."""
    _tell(
        "account.second-step-locked",
        user,
        event=f"{user.pk}:{now:%Y%m%dT%H%M}",
        now=now,
        context={"minutes": settings.SIGN_IN_LOCK_SECONDS // 60},
    )


def _tell(kind: str, user: User, *, event: str, now: datetime, context: dict[str, object]) -> None:
    notices.announce(
        kind,
        event=f"{kind}:{event}",
        to=notices.people([user]),
        company=user.company,
        link=reverse("account_security"),
        now=now,
        context={**context, "name": user.name},
    )
