"""Background work of Connect. Each task may run twice, late, or after its message was lost and found by a sweep."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from connect import delivery

_SWEEP_PAGE = 500


@shared_task
def deliver_event(event: str) -> None:
    """Send the mails about one event that were just stored; none while the mail server is left alone."""
    if not delivery.server_pause.lasts:
        now = timezone.now()
        delivery.deliver_all(delivery.due(now=now).filter(event=event), now=now)


@shared_task
def deliver_due_notices() -> None:
    """Send what is due: mails that failed before, and those whose message was lost."""
    now = timezone.now()
    delivery.deliver_all(delivery.due(now=now)[:_SWEEP_PAGE], now=now)
