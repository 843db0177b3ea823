"""The messages of a webhook as its page shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.http import Http404

from connect.models import DeliveryState, Webhook, WebhookDelivery
from connect.webhooks.administration import webhooks_of

ON_PAGE = 25
_ENDED_SHOWN = 10
# What is due within so long may change while somebody looks at it.
_SOON = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class LogRow:
    """One message: what it says in a line, and how it stands."""

    message: WebhookDelivery
    subject: str
    is_retried: bool


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some messages, newest first. ``older`` names the last of them where there are more.

    ``token`` changes when a row does; ``is_moving`` says that one may do so by itself in a moment.
    """

    rows: tuple[LogRow, ...]
    older: UUID | None
    token: str
    is_moving: bool


def overview_of(scope: str) -> list[Webhook]:
    """The live webhooks of a scope, then the ten that ended last, each with its last message.

    That is told by ``last_state``, ``last_attempts`` and ``last_at``.
    """
    newest = WebhookDelivery.objects.filter(webhook=OuterRef("pk")).order_by("-created_at", "-id")
    rows = webhooks_of(scope).annotate(
        last_state=Subquery(newest.values("state")[:1]),
        last_attempts=Subquery(newest.values("attempts")[:1]),
        last_at=Subquery(newest.values("created_at")[:1]),
    )
    live = list(rows.filter(ended_at=None))
    return [*live, *rows.exclude(ended_at=None).order_by("-ended_at", "id")[:_ENDED_SHOWN]]


def page_of(webhook: Webhook, *, show: str, before: str, now: datetime) -> LogPage:
    """The newest messages in this state (all, unless ``show`` is one), or those older than the message ``before``.

    Raises 404 where the webhook has no such message.
    """
    messages = WebhookDelivery.objects.filter(webhook=webhook).defer("answer").order_by("-created_at", "-id")
    if before:
        last = message_of(webhook, before)
        messages = messages.filter(created_at__lte=last.created_at).exclude(created_at=last.created_at, pk__gte=last.pk)
    if show in DeliveryState.values:
        messages = messages.filter(state=show)
    found = list(messages[: ON_PAGE + 1])
    shown = found[:ON_PAGE]
    return LogPage(
        rows=tuple(map(row_of, shown)),
        older=shown[-1].pk if len(found) > len(shown) else None,
        token=sha256(repr([(row.pk, row.state, row.attempts) for row in shown]).encode()).hexdigest()[:16],
        is_moving=any(row.state == DeliveryState.DUE and row.due_at <= now + _SOON for row in shown),
    )


def row_of(message: WebhookDelivery) -> LogRow:
    """A message with its subject, which stands in its body."""
    subject = json.loads(message.body).get("subject", "")
    return LogRow(message, str(subject), message.state == DeliveryState.DUE and message.attempts > 0)


def indented(message: WebhookDelivery) -> str:
    """The body as people read it; on its way it is one line. What cannot be seen stays written as its code."""
    text = json.dumps(json.loads(message.body), indent=2, ensure_ascii=False)
    return "".join(
        character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1] for character in text
    )


def message_of(webhook: Webhook, key: str) -> WebhookDelivery:
    """One message of a webhook. Raises 404 for any other."""
    try:
        message = WebhookDelivery.objects.filter(webhook=webhook, pk=UUID(key)).first()
    except ValueError:
        message = None
    if message is None:
        raise Http404
    return message
