"""A company's clock, wherever a page tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.template import Library
from django.utils import timezone

from connect.clock import company_time, is_ahead
from connect.models import Company, User

register = Library()


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
def ahead_words(ahead: timedelta) -> str:
    """How far a clock is ahead, in its largest unit: ``45 days``, ``1 day``, ``5 hours``, ``1 minute``."""
    seconds = round(ahead.total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = seconds // length
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


@register.filter
def until_words(days: int) -> str:
    """A number of days ahead as words: ``today``, ``tomorrow``, ``in 12 days``."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


@register.filter
def utc_clock(moment: datetime) -> str:
    """The time of day: ``09:41 UTC``."""
    return f"{moment.astimezone(UTC):%H:%M} UTC"
