"""Background work of KMP. Each task may run twice, late, or after its message was lost and found by a sweep."""

from __future__ import annotations

import logging
from uuid import UUID

from billiard.exceptions import SoftTimeLimitExceeded
from celery import shared_task
from django.utils import timezone

from certauthority.background import enqueue
from kmp import automatic_review

logger = logging.getLogger(__name__)

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
    automatic_review.take_in(now=now)
    for key in list(automatic_review.overdue(now=now).values_list("pk", flat=True)[:_SWEEP_PAGE]):
        try:
            automatic_review.process(key, now=timezone.now())
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            # One request that cannot be processed keeps no other from being so.
            logger.exception("The request %s could not be processed.", key)
