"""What people are told of a certificate's end: the subject when it is found, the mail when it is delivered."""

from __future__ import annotations

from datetime import datetime

from connect.expiry.sources import Lifetime
from connect.lifecycle import days_left
from connect.notices import SUBJECT_LENGTH
from connect.text import one_line

_NAME_LENGTH = 64


def subject_of(lifetime: Lifetime, threshold: int, *, now: datetime) -> str:
    """Alias, environment, days left, and whether a successor is live, in at most 200 characters.

    The days are those left at ``now``, of the company's time: after an outage fewer than the ``threshold`` says.
    A notice of a threshold after the end never says that the end is still to come.
    """
    name = f"{_short(lifetime.name)} ({_short(lifetime.environment)})"
    return one_line(
        f"{name} {_when(lifetime.expires_at, threshold, now=now)}{_after(lifetime)}", at_most=SUBJECT_LENGTH
    )


def _when(expires_at: datetime, threshold: int, *, now: datetime) -> str:
    left = days_left(expires_at, now=now)
    if expires_at >= now and threshold >= 0:
        return "expires today" if left == 0 else f"expires in {_days(left)}"
    return "expired today" if left >= 0 else f"expired {_days(-left)} ago"


def _after(lifetime: Lifetime) -> str:
    if not lifetime.successor:
        return ", and nothing replaces it"
    return f"; its successor {_short(lifetime.successor)} is live"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _short(name: str) -> str:
    return one_line(name, at_most=_NAME_LENGTH)
