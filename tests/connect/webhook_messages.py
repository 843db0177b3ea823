"""The one message of a webhook, and a time after which it is tried again."""

from __future__ import annotations

from datetime import timedelta

from connect.models import Webhook, WebhookDelivery

HOUR = timedelta(hours=1)


def the_message(webhook: Webhook) -> WebhookDelivery:
    """The only one that waits for it or was sent to it."""
    return WebhookDelivery.objects.get(webhook=webhook)
