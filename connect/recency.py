"""How long ago something was, at a glance. Use of a certificate happens in real time: so must ``now`` be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

JUST_NOW: Final = timedelta(minutes=2)
_HOUR: Final = timedelta(hours=1)


def recency(moment: datetime, *, now: datetime) -> str:
    """``Just now``, ``3 minutes ago``, ``Today, 14:05``, ``Yesterday, 14:05``, else the date: ``4 Jan 2027``.

    Days are those of UTC. What seems to come is a clock that is ahead by seconds: ``Just now``.
    """
    recent = _within_the_hour(moment, now=now)
    if recent:
        return recent
    at = moment.astimezone(UTC)
    days = (now.astimezone(UTC).date() - at.date()).days
    if days <= 1:
        return f"{'Yesterday' if days else 'Today'}, {at:%H:%M}"
    return f"{at.day} {at:%b %Y}"


def within_the_hour(moment: datetime, *, now: datetime) -> str:
    """``just now`` or ``3 minutes ago``, to stand behind a date; empty for what was before."""
    said = _within_the_hour(moment, now=now)
    return said[:1].lower() + said[1:]


def _within_the_hour(moment: datetime, *, now: datetime) -> str:
    ago = now - moment
    if ago <= JUST_NOW:
        return "Just now"
    return f"{ago // timedelta(minutes=1)} minutes ago" if ago < _HOUR else ""
