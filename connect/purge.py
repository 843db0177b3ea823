"""Removes what nobody looks at any more, in pages, so that no transaction is long. All of it goes by real time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet

from connect.models import DemoMail, Notice, NoticeState, WebhookDelivery
from connect.models.webhooks import DeliveryState

# Longer than a certificate lives, so that its whole history can be read until it has been replaced.
KEPT_NOTICES: Final = timedelta(days=400)
KEPT_DELIVERIES: Final = timedelta(days=90)
REMOVED: Final = "The text was removed after 400 days."
_PAGE: Final = 2000


def purge_sessions(*, now: datetime) -> int:
    """Remove sessions that have ended by themselves, and what the list of open sessions says of them."""
    ended = _remove(Session.objects.filter(expire_date__lt=now))
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    return ended + _remove(UserSession.objects.filter(~Exists(alive), created_at__lt=now - timedelta(minutes=5)))


def purge_notices(*, now: datetime) -> int:
    """Remove notices that were settled 400 days ago, and the demo's mails of that age.

    Those that tell of a certificate's end stay, without their text: the scan asks them whether it was told already
    (``connect.expiry.scan``). What is still due stays whole.
    """
    old = Notice.objects.filter(created_at__lt=now - KEPT_NOTICES).exclude(state=NoticeState.DUE)
    emptied = _in_pages(
        old.filter(threshold__isnull=False).exclude(text=REMOVED, html=""),
        lambda page: page.update(text=REMOVED, html=""),
    )
    mails = _remove(DemoMail.objects.filter(received_at__lt=now - KEPT_NOTICES))
    return emptied + mails + _remove(old.filter(threshold=None))


def purge_deliveries(*, now: datetime) -> int:
    """Remove messages to webhooks that were settled 90 days ago."""
    old = WebhookDelivery.objects.filter(created_at__lt=now - KEPT_DELIVERIES)
    return _remove(old.exclude(state=DeliveryState.DUE))


def _remove(old: QuerySet[Any]) -> int:
    return _in_pages(old, lambda page: page.delete()[0])


def _in_pages(old: QuerySet[Any], settle: Callable[[QuerySet[Any]], int]) -> int:
    """Each page is a transaction of its own. The condition is asked again then: a row may have changed meanwhile."""
    settled = 0
    while keys := list(old.order_by().values_list("pk", flat=True)[:_PAGE]):
        count = settle(old.filter(pk__in=keys))
        settled += count
        if count == 0:
            break
    return settled
