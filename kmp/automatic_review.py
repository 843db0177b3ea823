"""Decide requests for the applications that nobody reviews by hand.

The row is the truth: a request is claimed and moved on in short transactions, so that a worker that dies leaves it as
it was before the move, and the sweep finds it. The decision itself is one transaction that locks the row.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.events import Actor
from certauthority.errors import CAError
from kmp import requests
from kmp.errors import NotSignable, WrongState
from kmp.models import CertificateRequest, RequestState
from kmp.moves import UNDECIDED
from kmp.signing import sign

logger = logging.getLogger(__name__)

REVIEWER = "automatic review"
_ACTOR = Actor(REVIEWER)
_CA_AWAY = timedelta(minutes=1)


def overdue(*, now: datetime) -> QuerySet[CertificateRequest]:
    """Requests whose automatic decision is due, longest waiting first."""
    return CertificateRequest.objects.filter(state__in=UNDECIDED, decide_at__lte=now).order_by("decide_at")


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
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    request = rows.first()
    if request is None:
        return None
    if request.state == RequestState.SUBMITTED:
        request = requests.begin_review(request, actor=_ACTOR, now=now)
    CertificateRequest.objects.filter(pk=request.pk).update(claimed_at=now)
    return request


def _decide(request: CertificateRequest, *, now: datetime) -> None:
    try:
        sign(request, decided_by=REVIEWER, actor=_ACTOR, now=now)
    except NotSignable as refusal:
        requests.reject(request, reason=str(refusal), decided_by=REVIEWER, actor=_ACTOR, now=now)
    except WrongState:
        logger.info("%s was decided or cancelled while it was looked at.", request.number)
    except CAError as error:
        # Nothing is wrong with the request: it waits until the CA can sign again.
        logger.error("%s cannot be signed now: %s: %s", request.number, type(error).__name__, error)
        CertificateRequest.objects.filter(pk=request.pk, state__in=UNDECIDED).update(decide_at=now + _CA_AWAY)
