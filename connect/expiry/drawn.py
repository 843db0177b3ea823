"""Whose certificates a timeline shows. The number of queries does not grow with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from connect.expiry.sources import Source, sources
from connect.expiry.timeline import MOST_BARS, Frame, Timeline, timeline
from connect.models import Company, User


def timeline_of_scope(source: Source, scope: str, *, now: datetime) -> Timeline:
    """The certificates of one project. ``now`` is the company's own time, here and below."""
    return _drawn([(source, source.of_scopes([scope]))], now=now)


def timeline_of_company(company: Company, *, user: User, now: datetime) -> Timeline:
    """The company's certificates of every portal, as far as this person may see them."""
    return _drawn(
        [
            (source, source.of_scopes(scopes).filter(**{source.company: company}))
            for source in sources()
            if (scopes := source.scopes_of(user))
        ],
        now=now,
    )


def _drawn(shown: list[tuple[Source, QuerySet[Any]]], *, now: datetime) -> Timeline:
    """Those that expire next; where there is room left, those that have expired and still stand in the frame."""
    frame = Frame.around(now)
    live = [
        lifetime
        for source, rows in shown
        for lifetime in source.lifetimes(rows.filter(**{f"{source.expiry}__gte": now})[: MOST_BARS + 1])
    ]
    live.sort(key=lambda lifetime: (lifetime.expires_at, lifetime.name))
    if len(live) >= MOST_BARS:
        return timeline(live[:MOST_BARS], now=now, is_cut=len(live) > MOST_BARS)
    past = [
        lifetime
        for source, rows in shown
        for lifetime in source.lifetimes(
            rows.filter(
                **{f"{source.expiry}__lt": now, f"{source.expiry}__gte": frame.begins_at},
            ).order_by(f"-{source.expiry}", "pk")[:MOST_BARS]
        )
    ]
    past.sort(key=lambda lifetime: (lifetime.expires_at, lifetime.name), reverse=True)
    return timeline([*live, *past][:MOST_BARS], now=now, is_cut=False)
