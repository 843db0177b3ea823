"""Whose certificates a timeline shows. The number of queries does not grow with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from connect.expiry.sources import Lifetime, Source, sources
from connect.expiry.timeline import MOST_BARS, Frame, Timeline, timeline
from connect.models import Company, User


def timeline_of(live: Sequence[Lifetime], past: Sequence[Lifetime], *, now: datetime) -> Timeline:
    """Of certificates that were read already: the first ``MOST_BARS`` that expire, and one more if there is one.

    Where these are fewer, ``past`` are the last that have expired and still stand in the frame. ``now`` is the
    company's own time, here and below.
    """
    soonest = sorted(live, key=_end_and_name)
    if len(soonest) >= MOST_BARS:
        return timeline(soonest[:MOST_BARS], now=now, is_cut=len(soonest) > MOST_BARS)
    latest = sorted(past, key=_end_and_name, reverse=True)
    return timeline([*soonest, *latest][:MOST_BARS], now=now, is_cut=False)


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
    if len(live) >= MOST_BARS:
        return timeline_of(live, (), now=now)
    past = [
        lifetime
        for source, rows in shown
        for lifetime in source.lifetimes(
            rows.filter(
                **{f"{source.expiry}__lt": now, f"{source.expiry}__gte": frame.begins_at},
            ).order_by(f"-{source.expiry}", "pk")[:MOST_BARS]
        )
    ]
    return timeline_of(live, past, now=now)


def _end_and_name(lifetime: Lifetime) -> tuple[datetime, str]:
    return lifetime.expires_at, lifetime.name
