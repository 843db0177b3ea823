"""What the page of a certificate tells of its use: the chart, where calls came from, and the last calls one by one.

The same for both portals. All times are real time: calls happen in it, also where a company's clock is ahead.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import models

from certauthority import use
from certauthority.models import EndpointCall
from certauthority.use import SourceOfUse
from certauthority.use_tally import KEPT_CALLS
from connect.recent_use import in_short
from connect.use_chart import HOUR, Chart, Series, draw

MOST_CALLS: Final = 10
MOST_SOURCES: Final = 20
# Whoever revokes wants to see the refusals; a day later nobody waits for calls any more.
WATCHED_AFTER_END: Final = timedelta(days=1)


class Period(models.TextChoices):
    """What the chart shows; it stands in the page's address."""

    TWO_DAYS = "48h", "48 hours"
    WEEK = "7d", "7 days"
    ALL = "90d", "90 days"

    @property
    def hours(self) -> int:
        return {Period.TWO_DAYS: 48, Period.WEEK: 7 * 24, Period.ALL: 90 * 24}[self]

    @classmethod
    def chosen(cls, text: str) -> Period:
        """What an address asks for; what it does not know is the default."""
        return cls(text) if text in cls.values else cls.TWO_DAYS


@dataclass(frozen=True, slots=True)
class LastCalls:
    """The list of the last calls. ``token`` changes with it; ``is_moving`` says whether more are looked for."""

    calls: tuple[EndpointCall, ...]
    token: str
    is_moving: bool


@dataclass(frozen=True, slots=True)
class Refusals:
    """How many of the last calls were refused, of how many, and why, the most frequent reason first."""

    count: int
    among: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class UsePanel:
    """Everything about the use of one certificate. ``last_seen_at`` is that of any call, accepted or refused."""

    period: Period
    chart: Chart
    sources: tuple[SourceOfUse, ...]
    has_more_sources: bool
    refusals: Refusals
    last_seen_at: datetime | None
    last_calls: LastCalls

    @property
    def periods(self) -> Sequence[Period]:
        return list(Period)

    @property
    def refused_from(self) -> str:
        """Where refused calls came from, the latest first: ``10.20.4.17 and 2 more``."""
        return in_short([source.address for source in self.sources if source.refused])

    @property
    def was_ever_called(self) -> bool:
        """Whether anything is known of it, in whatever period."""
        return self.last_seen_at is not None or not self.chart.is_empty


def use_panel(certificate_id: UUID, *, period: Period, ended_at: datetime | None, now: datetime) -> UsePanel:
    """What to show of one certificate, in a constant number of queries. ``now`` is real time."""
    since = now - period.hours * HOUR
    hours = use.hours([certificate_id], since=since, until=now + HOUR)[certificate_id]
    sources = use.latest_sources(certificate_id, most=MOST_SOURCES + 1)
    calls = use.last_calls(certificate_id, most=KEPT_CALLS)
    return UsePanel(
        period=period,
        chart=draw([Series("Accepted", "use", hours)], until=now, hours=period.hours),
        sources=tuple(sources[:MOST_SOURCES]),
        has_more_sources=len(sources) > MOST_SOURCES,
        refusals=_refusals_among(calls),
        last_seen_at=sources[0].last_at if sources else None,
        last_calls=_list_of(certificate_id, calls[:MOST_CALLS], ended_at=ended_at, now=now),
    )


def last_calls(certificate_id: UUID, *, ended_at: datetime | None, now: datetime) -> LastCalls:
    """The list of the last calls alone, in one query. ``ended_at`` is when the certificate ended, if it has."""
    calls = use.last_calls(certificate_id, most=MOST_CALLS)
    return _list_of(certificate_id, calls, ended_at=ended_at, now=now)


def _list_of(
    certificate_id: UUID, calls: Sequence[EndpointCall], *, ended_at: datetime | None, now: datetime
) -> LastCalls:
    # A call that is written has a greater key than all before it; how many calls a site has had is nobody's business.
    newest = max((call.pk for call in calls), default=0)
    return LastCalls(
        calls=tuple(calls),
        token=hashlib.sha256(f"{certificate_id}:{newest}:{len(calls)}".encode()).hexdigest()[:16],
        is_moving=ended_at is None or now - ended_at < WATCHED_AFTER_END,
    )


def _refusals_among(calls: Sequence[EndpointCall]) -> Refusals:
    reasons = Counter(call.get_reason_display().lower() for call in calls if not call.accepted)
    return Refusals(count=reasons.total(), among=len(calls), reasons=tuple(reasons.most_common()))
