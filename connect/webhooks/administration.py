"""What people do with webhooks: add one, end it, give it another secret, try it, and send a message again.

Who may is asked by the pages: a project's admins, and for KMP a company's security officers and Security
Administrators. The audit log names a webhook by scheme and host: the path may hold somebody's token.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.events import Actor, AuditedObject, record
from connect.models import Company, DeliveryState, Webhook, WebhookDelivery
from connect.webhooks.destination import destination_of, site_of
from connect.webhooks.errors import WebhookRefused
from connect.webhooks.payload import WebhookEvent, body_of
from connect.webhooks.queueing import bring_forward
from connect.webhooks.signing import new_secret, sealed

MOST_WEBHOOKS = 10
MOST_TRIES_AN_HOUR = 60
TEST = "webhook.test"
_REPLAY = "replay"
_EVENT_LENGTH = 200


def webhooks_of(scope: str) -> QuerySet[Webhook]:
    """The webhooks of a scope, the oldest first; their secrets stay where they are."""
    return Webhook.objects.filter(scope=scope).defer("secret").order_by("created_at", "id")


@transaction.atomic
def add(*, scope: str, company: Company, url: str, actor: Actor, now: datetime) -> tuple[Webhook, str]:
    """Send the events of a scope to this address from now on. Returns the webhook, and its secret in clear.

    Raises:
        WebhookRefused: the address cannot be one, is a webhook of the scope already, or there are ten.
    """
    destination = destination_of(url)
    Company.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
    live = webhooks_of(scope).filter(ended_at=None)
    if live.filter(url=destination.url).exists():
        raise WebhookRefused("There is a webhook with this address already. Open it below to try it.")
    if live.count() >= MOST_WEBHOOKS:
        raise WebhookRefused(f"There are {MOST_WEBHOOKS} webhooks already, and no more are possible. End one first.")
    secret = new_secret()
    webhook = Webhook.objects.create(
        company=company,
        scope=scope,
        url=destination.url,
        secret=sealed(secret),
        created_at=now,
        created_by=actor.name[:254],
    )
    record("webhook.added", actor=actor, on=_audited(webhook), now=now, after={"host": destination.site})
    return webhook, secret


@transaction.atomic
def replace_secret(webhook: Webhook, *, actor: Actor, now: datetime) -> str:
    """Sign every message from now on with a fresh secret, which is returned in clear. The old one is gone.

    Raises:
        WebhookRefused: the webhook has ended.
    """
    row = _held(webhook)
    secret = new_secret()
    row.secret = sealed(secret)
    row.save(update_fields=["secret"])
    record("webhook.secret-replaced", actor=actor, on=_audited(row), now=now)
    return secret


@transaction.atomic
def end(webhook: Webhook, *, actor: Actor, now: datetime, why: str = "") -> bool:
    """Send nothing there any more; what was due is not sent. Returns False where it had ended before."""
    row = Webhook.objects.select_for_update(of=("self",)).select_related("company").get(pk=webhook.pk)
    if row.ended_at is not None:
        return False
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    WebhookDelivery.objects.filter(webhook=row, state=DeliveryState.DUE).update(
        state=DeliveryState.FAILED, error="The webhook was ended before this was delivered."
    )
    record("webhook.ended", actor=actor, on=_audited(row), now=now, after={"reason": why} if why else {})
    return True


def end_all(scope: str, *, actor: Actor, now: datetime) -> None:
    """End every webhook of a scope that is no more."""
    for webhook in webhooks_of(scope).filter(ended_at=None):
        end(webhook, actor=actor, now=now)


@transaction.atomic
def send_test(webhook: Webhook, *, link: str, now: datetime) -> WebhookDelivery:
    """Send a message that tells of nothing, to see whether it arrives. ``link`` is the path of the webhook's page.

    Raises:
        WebhookRefused: the webhook has ended, or was tried too often.
    """
    row = _held(webhook)
    _check_tries(row, now=now)
    key = uuid.uuid4()
    event = WebhookEvent(
        scope=row.scope,
        company=row.company,
        event=f"{TEST}:{key}",
        kind=TEST,
        subject="A test from mTLS Rehearsal",
        text="Nothing happened. Somebody pressed “Send a test” to see whether messages arrive here.",
        link=link,
        now=now,
    )
    return _queued(row, key=key, event=event.event, kind=TEST, body=body_of(event, key), now=now)


@transaction.atomic
def replay(message: WebhookDelivery, *, now: datetime) -> WebhookDelivery:
    """Send a message again that was delivered or has failed: the same text under an ``id`` of its own.

    Raises:
        WebhookRefused: it is still due, its webhook has ended, or was tried too often.
    """
    row = _held(message.webhook)
    if message.state == DeliveryState.DUE:
        raise WebhookRefused("This message is still due: it will be sent by itself. Its next try is shown beside it.")
    _check_tries(row, now=now)
    key = uuid.uuid4()
    body = {**json.loads(message.body), "id": str(key), "replay_of": str(message.pk)}
    event = f"{_REPLAY}:{key}:{message.event.removeprefix(f'{_REPLAY}:')}"[:_EVENT_LENGTH]
    return _queued(row, key=key, event=event, kind=message.kind, body=json.dumps(body), now=now)


def _held(webhook: Webhook) -> Webhook:
    """The row, which cannot be ended until the transaction is over."""
    row = Webhook.objects.select_for_update(of=("self",)).select_related("company").get(pk=webhook.pk)
    if row.ended_at is not None:
        raise WebhookRefused("This webhook has ended. Add the address again to get messages there.")
    return row


def _check_tries(webhook: Webhook, *, now: datetime) -> None:
    tries = WebhookDelivery.objects.filter(
        Q(kind=TEST) | Q(event__startswith=f"{_REPLAY}:"), webhook=webhook, created_at__gt=now - timedelta(hours=1)
    )
    if tries.count() >= MOST_TRIES_AN_HOUR:
        raise WebhookRefused(f"This webhook was tried {MOST_TRIES_AN_HOUR} times in the last hour. Try again later.")


def _queued(webhook: Webhook, *, key: uuid.UUID, event: str, kind: str, body: str, now: datetime) -> WebhookDelivery:
    message = WebhookDelivery.objects.create(
        id=key, webhook=webhook, event=event, kind=kind, body=body, created_at=now, due_at=now
    )
    transaction.on_commit(lambda: bring_forward([webhook.pk]))
    return message


def _audited(webhook: Webhook) -> AuditedObject:
    return AuditedObject(
        type="webhook",
        id=str(webhook.pk),
        label=site_of(webhook.url),
        company=str(webhook.company_id),
        project="" if webhook.scope == str(webhook.company_id) else webhook.scope,
        clock_ahead=webhook.company.clock_ahead,
    )
