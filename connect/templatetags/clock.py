"""A company's clock, wherever a page tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.template import Library
from django.utils import timezone

from connect.clock import company_time, is_ahead
from connect.models import Company, User

register = Library()

_MINUTES = 60


@dataclass(frozen=True, slots=True)
class ClockFace:
    """Both times of a company whose clock is ahead."""

    company: Company
    now: datetime
    company_now: datetime


@register.simple_tag
def clock_ahead_of(user: User | None) -> ClockFace | None:
    """Both times, for somebody whose company's clock is ahead; else nothing. It costs no query beyond the company."""
    company = getattr(user, "company", None)
    if company is None or not is_ahead(company):
        return None
    now = timezone.now()
    return ClockFace(company, now, company_time(company, now))


@register.filter
def ahead_words(ahead: timedelta, now: datetime) -> str:
    """How far a clock is ahead of real time ``now``: ``45 days``, ``1 day``, ``5 hours``, ``1 minute``.

    From a whole day on the difference of the UTC calendar dates, as a reader of both dates reckons it.
    """
    if ahead >= timedelta(days=1):
        days = ((now + ahead).astimezone(UTC).date() - now.astimezone(UTC).date()).days
        return _counted(days, "day")
    minutes = round(ahead.total_seconds()) // 60
    if minutes >= _MINUTES:
        return _counted(minutes // _MINUTES, "hour")
    return _counted(minutes, "minute") if minutes else "less than a minute"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


@register.filter
def until_words(days: int) -> str:
    """A number of days ahead as words: ``today``, ``tomorrow``, ``in 12 days``."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


@register.filter
def utc_clock(moment: datetime) -> str:
    """The time of day: ``09:41 UTC``."""
    return f"{moment.astimezone(UTC):%H:%M} UTC"
