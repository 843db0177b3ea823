"""Decide requests for the applications that nobody reviews by hand.

The row is the truth: a request is claimed and moved on in short transactions, so that a worker that dies leaves it as
it was before the move, and the sweep finds it. The decision itself is one transaction that holds the row.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet

from audit.events import Actor
from certauthority.errors import CAError
from kmp import messages, requests
from kmp.errors import NotSignable, WrongState
from kmp.models import CertificateRequest, RequestState, Review
from kmp.moves import UNDECIDED, locked
from kmp.signing import sign

logger = logging.getLogger(__name__)

REVIEWER = "automatic review"
_ACTOR = Actor(REVIEWER)
_CA_AWAY = timedelta(minutes=1)


def delay() -> timedelta:
    """How long an automatic review takes."""
    return timedelta(seconds=settings.KMP_AUTOMATIC_REVIEW_SECONDS)


def overdue(*, now: datetime) -> QuerySet[CertificateRequest]:
    """Requests whose automatic decision is due. Those that were taken up last come last.

    So one that cannot be decided, whatever the reason, keeps no other from being taken up.
    """
    due = CertificateRequest.objects.filter(state__in=UNDECIDED, decide_at__lte=now)
    return due.order_by(F("claimed_at").asc(nulls_first=True), "decide_at")


def take_in(*, now: datetime) -> None:
    """Take over what waits for Key Management, and nobody has begun, for applications that became automatic."""
    waiting = CertificateRequest.objects.filter(state=RequestState.SUBMITTED, decide_at=None)
    waiting.filter(application__review=Review.AUTOMATIC).update(decide_at=now + delay())


def process(request_id: UUID, *, now: datetime) -> timedelta | None:
    """Take a request one or two steps on. Returns how long to wait for its decision, None where nothing is to come.

    Requests that Key Management reviews, decided ones and those that another worker holds are left alone.
    """
    request = _claim(request_id, now=now)
    if request is None or request.decide_at is None:
        return None
    if request.decide_at > now:
        return request.decide_at - now
    _decide(request, now=now)
    return None


@transaction.atomic
def _claim(request_id: UUID, *, now: datetime) -> CertificateRequest | None:
    rows = CertificateRequest.objects.filter(pk=request_id, state__in=UNDECIDED, decide_at__isnull=False)
    rows = rows.select_related("application")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(of=("self",), skip_locked=True)
    request = rows.first()
    if request is None:
        return None
    if request.application is not None and request.application.review == Review.MANUAL:
        _leave_to_key_management(request, now=now)
        return None
    if request.state == RequestState.SUBMITTED:
        request = requests.begin_review(request, actor=_ACTOR, now=now)
    if request.decide_at is not None and request.decide_at <= now:
        CertificateRequest.objects.filter(pk=request.pk).update(claimed_at=now)
    return request


def _leave_to_key_management(request: CertificateRequest, *, now: datetime) -> None:
    """Its application is reviewed by hand since it was submitted."""
    request.decide_at = None
    request.save(update_fields=["decide_at"])
    messages.waiting(request, now=now)


def _decide(request: CertificateRequest, *, now: datetime) -> None:
    try:
        # The row is held over both, so that nobody else decides between the refusal and the rejection.
        with transaction.atomic():
            row = locked(request)
            try:
                sign(row, decided_by=REVIEWER, actor=_ACTOR, now=now)
            except NotSignable as refusal:
                requests.reject(row, reason=str(refusal), decided_by=REVIEWER, actor=_ACTOR, now=now)
    except WrongState:
        logger.info("%s was decided or cancelled while it was looked at.", request.number)
    except CAError as error:
        # Nothing is wrong with the request: it waits until the CA can sign again.
        logger.error("%s cannot be signed now: %s: %s", request.number, type(error).__name__, error)
        CertificateRequest.objects.filter(pk=request.pk, state__in=UNDECIDED).update(decide_at=now + _CA_AWAY)
