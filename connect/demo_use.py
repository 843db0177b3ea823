"""Calls at the live endpoint as a demo site would have seen them: the same each time for the same ``now``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from certauthority.models import ReasonCode
from certauthority.use_purge import KEPT_MINUTES
from certauthority.use_records import SeenCall, record_tally
from certauthority.use_tally import Tally

# Calls in each hour of a working day, UTC: a shop whose customers sleep at night.
SHOP: Final = (2, 1, 1, 2, 2, 4, 8, 13, 19, 22, 24, 22, 18, 21, 22, 20, 17, 14, 9, 6, 4, 3, 2, 2)
# A job that runs at night.
NIGHTLY: Final = (0, 0, 14, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_HOUR: Final = timedelta(hours=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a system calls in each hour of a day, half as often at weekends, and from where, by turns."""

    by_hour: tuple[int, ...]
    addresses: tuple[str, ...]
    environment: str
    reason: ReasonCode = ReasonCode.ACCEPTED


def calls(certificate_id: UUID, habit: Habit, *, since: datetime, until: datetime) -> Iterator[SeenCall]:
    """The calls of one system with one certificate, the oldest first."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        count = _calls_in(hour, habit)
        for number in range(count):
            at = hour + (number + 0.5) * _HOUR / count
            if since <= at < until:
                yield SeenCall(
                    certificate_id=certificate_id,
                    at=at,
                    accepted=habit.reason == ReasonCode.ACCEPTED,
                    reason=habit.reason,
                    environment=habit.environment,
                    client_address=habit.addresses[number % len(habit.addresses)],
                    tls_version="TLSv1.3",
                    cipher="TLS_AES_256_GCM_SHA384",
                )
        hour += _HOUR


def record_demo_calls(seen: Iterable[SeenCall], *, now: datetime) -> None:
    """Write them, without the minutes that nobody asks for any more."""
    tally = Tally.of(seen)
    tally.forget_minutes(before=now - KEPT_MINUTES)
    record_tally(tally)


def _calls_in(hour: datetime, habit: Habit) -> int:
    usual = habit.by_hour[hour.hour]
    if not usual:
        return 0
    if hour.weekday() >= _SATURDAY:
        usual = (usual + 1) // 2
    # No two days are the same, and yet each is the same every time that it is told.
    return max(1, usual + (hour.toordinal() * 7 + hour.hour * 3) % 5 - 2)
