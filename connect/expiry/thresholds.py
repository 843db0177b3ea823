"""When people are told of a certificate's end: dates before it, by the settings. Moments are of the company's time.

A threshold of N days passes at midnight UTC, when ``connect.lifecycle.days_left`` becomes N.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Threshold:
    """``days`` before a certificate's end, below zero after it, and the moment when they are reached."""

    days: int
    at: datetime


def thresholds_of(not_after: datetime) -> tuple[Threshold, ...]:
    """Every threshold of a certificate with this end, in the order of time."""
    return _of_day(not_after.astimezone(UTC).date(), tuple(settings.NOTICE_THRESHOLD_DAYS))


@lru_cache(maxsize=4096)
def _of_day(last_day: date, thresholds: tuple[int, ...]) -> tuple[Threshold, ...]:
    midnight = datetime.combine(last_day, time(0), UTC)
    return tuple(Threshold(days, midnight - timedelta(days=days)) for days in sorted(thresholds, reverse=True))


def first_after(not_after: datetime, moment: datetime) -> datetime | None:
    """The next threshold after this moment; none when all have passed."""
    return next((threshold.at for threshold in thresholds_of(not_after) if threshold.at > moment), None)


def passed(not_after: datetime, *, since: datetime, now: datetime) -> list[Threshold]:
    """The thresholds from ``since`` until ``now``, both included, in the order of time. The last one is the nearest."""
    return [threshold for threshold in thresholds_of(not_after) if since <= threshold.at <= now]
