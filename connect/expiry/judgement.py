"""What comes of the thresholds that a certificate has passed. Plain Python: no database, no clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from connect.expiry.silence import reason_for_silence
from connect.expiry.sources import Lifetime
from connect.expiry.thresholds import first_after, passed


@dataclass(frozen=True, slots=True)
class Judgement:
    """One certificate at one moment of its company's time.

    ``nearest`` is the threshold that goes out, in days, unless ``silence`` says why not; none when nothing has passed.
    ``passed_over`` came before it and do not go out. ``next_at`` is when the next one passes, if there is one.
    """

    lifetime: Lifetime
    at: datetime
    nearest: int | None
    passed_over: tuple[int, ...]
    silence: str
    next_at: datetime | None

    @property
    def goes_out(self) -> bool:
        """Whether people are told."""
        return self.nearest is not None and not self.silence


def judge(lifetime: Lifetime, *, judged_before: Collection[int] = (), now: datetime) -> Judgement:
    """Judge the thresholds since the row was last judged, at ``now``, of the company's time.

    Those in ``judged_before`` are left alone. There are some where a clock run has ended and all is judged anew.
    """
    since = lifetime.next_notice_at or now
    days = [
        threshold.days
        for threshold in passed(lifetime.expires_at, since=since, now=now)
        if threshold.days not in judged_before
    ]
    return Judgement(
        lifetime=lifetime,
        at=now,
        nearest=days[-1] if days else None,
        passed_over=tuple(days[:-1]),
        silence=reason_for_silence(lifetime, now=now) if days else "",
        next_at=first_after(lifetime.expires_at, now),
    )
