"""Calls at the endpoint with the certificates of a rotation, written as the endpoint writes them; and its end."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from audit.events import Actor
from certauthority.models import ReasonCode, RevocationReason
from certauthority.use_records import record_calls
from portal import revocation
from portal.models import Credential
from tests.certauthority.seen_calls import seen

OFFICE = "10.0.0.5"
BATCH = "10.0.0.7"


def called(
    credential: Credential,
    *minutes_ago: float,
    address: str = OFFICE,
    reason: ReasonCode = ReasonCode.ACCEPTED,
    now: datetime | None = None,
) -> None:
    """One call for each number of minutes ago: accepted, unless there is another reason."""
    moment = now or timezone.now()
    record_calls(
        [
            seen(credential.certificate, moment - timedelta(minutes=ago), reason=reason, address=address)
            for ago in minutes_ago
        ]
    )


def called_hourly(credential: Credential, *, since: int, until: int, now: datetime, address: str = OFFICE) -> None:
    """A call in the middle of each hour, from so many hours ago until so many hours ago."""
    hour = now.replace(minute=30, second=0, microsecond=0)
    record_calls(
        [seen(credential.certificate, hour - timedelta(hours=ago), address=address) for ago in range(until, since + 1)]
    )


def end(credential: Credential, *, days_ago: float = 0) -> None:
    """Revoke it, so many days ago, because another took its place."""
    now = timezone.now() - timedelta(days=days_ago)
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=now)
