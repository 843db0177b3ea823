"""Send due messages to webhooks, and remember what came of each.

A message is claimed in a transaction of its own, which ends before the network is touched: its attempt is counted and
its next moment is a minute away, so that no other worker sends it meanwhile. One whose worker is killed is sent again
then, with the same ``id``, by which receivers know it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Min, QuerySet

from audit.events import SYSTEM
from certauthority.errors import CAError
from connect.models import DeliveryState, WebhookDelivery
from connect.webhooks import exchange
from connect.webhooks.administration import end
from connect.webhooks.destination import destination_of, site_of
from connect.webhooks.errors import NotReached, WebhookRefused
from connect.webhooks.signing import HEADER, opened, signature

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 12
MOST_AGE = timedelta(days=3)
_LEASE = timedelta(minutes=1)
# Minutes to wait after the first failure, the second, and so on; the last goes on for the attempts that are left.
_WAIT_MINUTES = (1, 2, 5, 10, 30, 60, 120, 240, 480)
# Where nobody answers, the other messages to the same address are not tried one after the other.
_WAIT_OF_OTHERS = timedelta(minutes=10)
_PAGE = 100
_ERROR_LENGTH = 300


class Outcome(Enum):
    """What came of a message."""

    SENT = auto()
    NOT_DUE = auto()
    REFUSED = auto()
    NOT_REACHED = auto()
    GONE = auto()


def due(*, now: datetime) -> QuerySet[WebhookDelivery]:
    """Messages to live webhooks whose time has come, the longest due first."""
    rows = WebhookDelivery.objects.filter(state=DeliveryState.DUE, due_at__lte=now, webhook__ended_at=None)
    return rows.order_by("due_at", "created_at", "pk")


def webhooks_with_due(*, now: datetime, limit: int) -> list[UUID]:
    """Webhooks that something is due for, the longest due first."""
    waiting = due(now=now).order_by().values("webhook_id").annotate(first=Min("due_at"))
    return [row["webhook_id"] for row in waiting.order_by("first", "webhook_id")[:limit]]


def deliver_all(webhook_id: UUID, *, clock: Callable[[], datetime], seconds: float) -> bool:
    """Send what is due for one webhook, one message after the other. Returns whether more is due.

    The first message that reaches nobody ends it. ``clock`` tells the moment of each attempt.
    """
    ends_at = time.monotonic() + seconds
    keys = list(due(now=clock()).filter(webhook=webhook_id).values_list("pk", flat=True)[:_PAGE])
    for key in keys:
        if time.monotonic() >= ends_at:
            return True
        if deliver(key, now=clock()) in (Outcome.NOT_REACHED, Outcome.GONE):
            return False
    return len(keys) == _PAGE


def deliver(message_id: UUID, *, now: datetime) -> Outcome:
    """Send one message if it is due and nobody else is sending it."""
    message = _claimed(message_id, now=now)
    if message is None:
        return Outcome.NOT_DUE
    try:
        answer = _sent(message, now=now)
    except (NotReached, WebhookRefused, CAError) as failure:
        _remember_failure(message, str(failure), now=now, is_away=True)
        return Outcome.NOT_REACHED
    return _judged(message, answer, now=now)


def _claimed(message_id: UUID, *, now: datetime) -> WebhookDelivery | None:
    with transaction.atomic():
        rows = due(now=now).filter(pk=message_id)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True, of=("self",))
        message = rows.select_related("webhook__company").first()
        if message is not None:
            message.attempts += 1
            message.due_at = now + _LEASE
            message.save(update_fields=["attempts", "due_at"])
    return message


def _sent(message: WebhookDelivery, *, now: datetime) -> exchange.Answer:
    body = message.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "mTLS-Rehearsal-Webhook/1",
        "Rehearsal-Delivery": str(message.pk),
        HEADER: signature(body, secret=opened(message.webhook.secret), at=now),
    }
    return exchange.post(destination_of(message.webhook.url), body, headers)


def _judged(message: WebhookDelivery, answer: exchange.Answer, *, now: datetime) -> Outcome:
    message.answered_status, message.answer = answer.status, answer.text
    if 200 <= answer.status < 300:
        _store(message, state=DeliveryState.SENT, error="", sent_at=now)
        return Outcome.SENT
    if answer.status == 410:
        _store(message, state=DeliveryState.FAILED, error="The receiver says that the address is gone for good (410).")
        end(message.webhook, why="The receiver answered 410 Gone.", actor=SYSTEM, now=now)
        return Outcome.GONE
    _remember_failure(message, _refusal(answer.status), now=now)
    return Outcome.REFUSED


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver answered {status}, a redirect. Redirects are not followed: add the new address instead."
    return f"The receiver answered {status}. Only 200 to 299 count as delivered."


def _remember_failure(message: WebhookDelivery, error: str, *, now: datetime, is_away: bool = False) -> None:
    error = error[:_ERROR_LENGTH]
    is_last = message.attempts >= MOST_ATTEMPTS or now - message.created_at >= MOST_AGE
    wait = timedelta(minutes=_WAIT_MINUTES[min(message.attempts, len(_WAIT_MINUTES)) - 1])
    _store(message, state=DeliveryState.FAILED if is_last else DeliveryState.DUE, error=error, due_at=now + wait)
    if is_away:
        others = WebhookDelivery.objects.filter(webhook=message.webhook_id, state=DeliveryState.DUE).exclude(
            pk=message.pk
        )
        others.filter(created_at__lte=now - MOST_AGE).update(state=DeliveryState.FAILED, error=error)
        later = now + min(wait, _WAIT_OF_OTHERS)
        others.filter(due_at__lt=later).update(due_at=later)
    site = site_of(message.webhook.url)
    logger.warning(
        "Message %s to the webhook %s at %s was not delivered: %s", message.pk, message.webhook_id, site, error
    )


def _store(message: WebhookDelivery, **values: object) -> None:
    """Unless the result is there: a worker that was stopped for longer than the lease comes too late."""
    rows = WebhookDelivery.objects.filter(pk=message.pk, state=DeliveryState.DUE)
    rows.update(answered_status=message.answered_status, answer=message.answer, **values)
