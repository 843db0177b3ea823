"""Background work of KMP. Each task may run twice, late, or after its message was lost and found by a sweep."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from certauthority.background import enqueue
from kmp import automatic_review

_SWEEP_PAGE = 200


@shared_task
def process_request(request_id: str) -> None:
    """Take up a submitted request, and decide it once its time has come."""
    wait = automatic_review.process(UUID(request_id), now=timezone.now())
    if wait is not None:
        enqueue(process_request, request_id, seconds=wait.total_seconds())


@shared_task
def sweep_requests() -> None:
    """Process requests whose message was lost, or whose worker died."""
    now = timezone.now()
    for key in automatic_review.overdue(now=now).values_list("pk", flat=True)[:_SWEEP_PAGE]:
        automatic_review.process(key, now=now)
