"""Background work of Connect. Each task may run twice, late, or after its message was lost and found by a sweep."""

from __future__ import annotations

import logging
import time
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from certauthority.background import enqueue
from connect import delivery
from connect import purge as purging
from connect.delivery_round import RoundEnd, deliver_due
from connect.expiry import digest_run, scan
from connect.models import Company
from connect.webhooks import delivery as webhooks

logger = logging.getLogger(__name__)

# Well below CELERY_TASK_SOFT_TIME_LIMIT: a page of the scan takes a fraction of a second.
_SCAN_SECONDS = 60.0
_DIGEST_SECONDS = 60.0
# How long one task goes on with one webhook, and how many the sweep begins with: mails wait behind them.
_WEBHOOK_SECONDS = 40.0
_WEBHOOKS_AT_ONCE = 50


@shared_task
def deliver_event(event: str) -> None:
    """Send the mails about one event that were just stored; none while the mail server is left alone."""
    if not delivery.server_pause.lasts:
        now = timezone.now()
        delivery.deliver_all(delivery.due(now=now).filter(event=event), now=now)


@shared_task
def deliver_due_notices() -> None:
    """Send what is due: mails that failed before, those whose message was lost, and what the scan has found."""
    if deliver_due(now=timezone.now()) is RoundEnd.TIME_OVER:
        enqueue(deliver_due_notices)


@shared_task
def deliver_found_notices() -> None:
    """The same as soon as the scan has stored some; nothing while the mail server is left alone."""
    if not delivery.server_pause.lasts:
        deliver_due_notices()


@shared_task
def scan_expiries() -> None:
    """Find the certificates of which people must be told. What does not fit into one task is done by the next."""
    last_moment = time.monotonic() + _SCAN_SECONDS
    for _ in scan.pages(now=timezone.now()):
        if time.monotonic() >= last_moment:
            enqueue(scan_expiries)
            return


@shared_task
def scan_company_expiries(company_id: str) -> None:
    """The same for one company, such as after its clock run has ended."""
    company = Company.objects.filter(pk=UUID(company_id)).first()
    if company is not None:
        scan.scan_company(company, now=timezone.now())


@shared_task
def send_digests() -> None:
    """Write the weekly digests that are due. What does not fit into one task is done by the next."""
    last_moment = time.monotonic() + _DIGEST_SECONDS
    for _ in digest_run.pages(now=timezone.now()):
        if time.monotonic() >= last_moment:
            enqueue(send_digests)
            return


@shared_task
def deliver_webhook(webhook_id: str) -> None:
    """Send what is due for one webhook, and go on where one task is not enough."""
    if webhooks.deliver_all(UUID(webhook_id), clock=timezone.now, seconds=_WEBHOOK_SECONDS):
        enqueue(deliver_webhook, webhook_id)


@shared_task
def deliver_due_webhooks() -> None:
    """Begin with what is due for webhooks: messages that failed before, and those whose task was lost."""
    for key in webhooks.webhooks_with_due(now=timezone.now(), limit=_WEBHOOKS_AT_ONCE):
        enqueue(deliver_webhook, str(key))


@shared_task
def purge() -> None:
    """Remove ended sessions, old notices and old messages to webhooks, daily."""
    now = timezone.now()
    sessions, notices = purging.purge_sessions(now=now), purging.purge_notices(now=now)
    deliveries = purging.purge_deliveries(now=now)
    logger.info("Removed %s sessions, %s notices and %s messages to webhooks.", sessions, notices, deliveries)
