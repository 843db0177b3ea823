"""Background work of Connect. Each task may run twice, late, or after its message was lost and found by a sweep."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from connect import delivery

_SWEEP_PAGE = 500


@shared_task
def deliver_notice(notice_id: str) -> None:
    """Send one mail that was just stored."""
    delivery.deliver(UUID(notice_id), now=timezone.now())


@shared_task
def deliver_due_notices() -> None:
    """Send what is due: mails that failed before, and those whose message was lost."""
    now = timezone.now()
    for key in delivery.due(now=now).values_list("pk", flat=True)[:_SWEEP_PAGE]:
        delivery.deliver(key, now=now)
