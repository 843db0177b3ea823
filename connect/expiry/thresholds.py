"""When people are told of a certificate's end: dates before it, by the settings. Moments are of the company's time.

A threshold of N days passes at midnight UTC, when ``connect.lifecycle.days_left`` becomes N.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Threshold:
    """``days`` before a certificate's end, below zero after it, and the moment when they are reached."""

    days: int
    at: datetime


def thresholds_of(not_after: datetime) -> list[Threshold]:
    """Every threshold of a certificate with this end, in the order of time."""
    last_day = not_after.astimezone(UTC).date()
    found = (
        Threshold(days, datetime.combine(last_day - timedelta(days=days), time(0), UTC))
        for days in sorted(settings.NOTICE_THRESHOLD_DAYS, reverse=True)
    )
    return list(found)


def first_after(not_after: datetime, moment: datetime) -> datetime | None:
    """The next threshold after this moment; none when all have passed."""
    return next((threshold.at for threshold in thresholds_of(not_after) if threshold.at > moment), None)


def passed(not_after: datetime, *, since: datetime, now: datetime) -> list[Threshold]:
    """The thresholds from ``since`` until ``now``, both included, in the order of time. The last one is the nearest."""
    return [threshold for threshold in thresholds_of(not_after) if since <= threshold.at <= now]
