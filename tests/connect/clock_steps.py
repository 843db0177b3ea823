"""Move a company's clock in tests, by the use-cases."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from audit.events import Actor
from connect.clock import company_time
from connect.clock_moves import (
    move,
    start_over,
)
from connect.models import ClockJump, Company, User


def moved(
    company: Company, by: User, *, days: float = 1, now: datetime | None = None, state: str | None = None
) -> ClockJump:
    """Move the clock by so many days of what it shows, at the real moment ``now``."""
    now = now or timezone.now()
    company.refresh_from_db()
    to = company_time(company, now) + timedelta(days=days)
    return move(company, to=to, by=by, actor=Actor(by.email, "192.0.2.1"), now=now, state=state)


def over(company: Company, by: User, *, now: datetime | None = None, state: str | None = None) -> None:
    start_over(company, by=by, actor=Actor(by.email), now=now or timezone.now(), state=state)
