"""Store a message for each webhook that an event concerns. Called inside the transaction that makes the change."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from certauthority.background import enqueue
from connect.models import Company, Webhook, WebhookDelivery
from connect.webhooks.payload import JSON, WebhookEvent, body_of

# One event reaches few webhooks. What concerns more is left to the sweep, so that the queue is not flooded.
_MOST_MESSAGES = 50


def queue_event(
    *,
    scope: str,
    company: Company,
    event: str,
    kind: str,
    subject: str,
    text: str,
    link: str,
    data: Mapping[str, JSON],
    now: datetime,
) -> None:
    """Tell the webhooks of a scope what happened, after the commit. One query where it has none.

    The arguments are ``WebhookEvent``'s. The same event reaches the same webhook once, however often it is queued.
    """
    told = WebhookEvent(
        scope=scope, company=company, event=event, kind=kind, subject=subject, text=text, link=link, data=data, now=now
    )
    queue_events([told])


def queue_events(events: Iterable[WebhookEvent]) -> None:
    """The same for many events at once: one query where no webhook is concerned."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A webhook is told of a change with it: queue inside transaction.atomic()")
    told = list(events)
    if not told:
        return
    of_scope: dict[str, list[UUID]] = {}
    live = Webhook.objects.filter(scope__in={event.scope for event in told}, ended_at=None)
    for key, scope in live.values_list("pk", "scope"):
        of_scope.setdefault(scope, []).append(key)
    rows = [_row(event, key) for event in told for key in of_scope.get(event.scope, [])]
    if not rows:
        return
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    transaction.on_commit(partial(bring_forward, sorted({row.webhook_id for row in rows})))


def scopes_with_webhooks(scopes: Collection[str]) -> set[str]:
    """Those of these scopes that have a live webhook, so that nobody words events that no one is told of."""
    live = Webhook.objects.filter(scope__any_of=scopes, ended_at=None)
    return set(live.values_list("scope", flat=True))


def bring_forward(webhooks: Iterable[UUID]) -> None:
    """Tell workers of webhooks that have something due."""
    from connect.tasks import deliver_webhook  # noqa: PLC0415  tasks deliver what this module stores

    for key in list(webhooks)[:_MOST_MESSAGES]:
        enqueue(deliver_webhook, str(key))


def _row(event: WebhookEvent, webhook_id: UUID) -> WebhookDelivery:
    key = uuid.uuid4()
    return WebhookDelivery(
        id=key,
        webhook_id=webhook_id,
        event=event.event,
        kind=event.kind,
        body=body_of(event, key),
        created_at=event.now,
        due_at=event.now,
    )
