"""Move a company's clock, judge its certificates there at once, and say what the jump caused."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Count, Min, QuerySet

from audit.events import Actor
from connect.clock import company_time, is_ahead
from connect.clock_moves import ClockRefused, move, newest_jump, scan_soon
from connect.expiry.events import next_events
from connect.expiry.scan import company_pages
from connect.expiry.sources import Lifetime, sources
from connect.models import Channel, ClockJump, Company, Notice, NoticeState, User

SHOWN = 20
_JUDGING_SECONDS = 5.0


class Step(models.TextChoices):
    """How far to move a clock: the buttons of its page."""

    DAY = "day", "+1 day"
    DAYS = "days", "+30 days"
    EVENT = "event", "To the next event"
    DATE = "date", "To a date"


@dataclass(frozen=True, slots=True)
class CausedNotice:
    """One threshold of one certificate: what became of its mails, and to how many addresses."""

    subject: str
    scope: str
    state: NoticeState
    reason: str
    link: str
    threshold: int
    recipients: int


@dataclass(frozen=True, slots=True)
class Caused:
    """What has happened by a company's clock since its last jump. Of long lists the first, and how many there are.

    ``mails`` counts each recipient; ``notices`` and ``notice_count`` tell of a threshold once for all of them.
    """

    jump: ClockJump
    notices: list[CausedNotice]
    notice_count: int
    mails: dict[NoticeState, int]
    expired: list[Lifetime]
    expired_count: int

    @property
    def on_their_way(self) -> int:
        """How many mails have not been sent yet, and will be."""
        return self.mails.get(NoticeState.DUE, 0)

    @property
    def sent(self) -> int:
        return self.mails.get(NoticeState.SENT, 0)

    @property
    def failed(self) -> int:
        return self.mails.get(NoticeState.FAILED, 0)

    @property
    def skipped(self) -> int:
        return self.mails.get(NoticeState.SKIPPED, 0)


def destination(company: Company, step: Step, *, now: datetime, on: date | None = None) -> datetime:
    """Where a step leads, in the company's time. ``now`` is real; ``on`` is the day of ``Step.DATE``, from 00:00 UTC.

    Raises:
        ClockRefused: nothing will happen to the company's certificates, or no day is given.
    """
    moment = company_time(company, now)
    if step is Step.DAY:
        return moment + timedelta(days=1)
    if step is Step.DAYS:
        return moment + timedelta(days=30)
    if step is Step.DATE:
        if on is None:
            raise ClockRefused("Choose the date that the clock is to show.")
        return datetime(on.year, on.month, on.day, tzinfo=UTC)
    event = next(iter(next_events(company, now=now, limit=1)), None)
    if event is None:
        raise ClockRefused(
            f"Nothing will happen to the certificates of {company.name}: it has none that could expire. Add one, or "
            "move the clock by days."
        )
    return event.moment


def jump(
    company: Company, *, to: datetime, by: User, actor: Actor, now: datetime, state: str | None = None
) -> ClockJump:
    """Move the clock and judge the company's certificates at ``to``. ``now`` is real time.

    Judging takes as long as a person waits for a page; what is left then, a worker does. The move is kept even if the
    judging fails: the next scan of all companies does it.

    Raises:
        ClockRefused: as ``connect.clock_moves.move`` does.
    """
    moved = move(company, to=to, by=by, actor=actor, now=now, state=state)
    last_moment = time.monotonic() + _JUDGING_SECONDS
    for _ in company_pages(moved.company, now=now):
        if time.monotonic() >= last_moment:
            scan_soon(moved.company)
            break
    return moved


def caused(company: Company, *, now: datetime) -> Caused | None:
    """What the last jump of the clock run that is on has caused until the real moment ``now``; none in real time."""
    last = newest_jump(company) if is_ahead(company) else None
    if last is None:
        return None
    mails = Notice.objects.filter(clock_run=last.run, company_at__gte=last.to_at, channel=Channel.MAIL)
    # Counted before the rows are read: of a mail that is sent in between the page asks once more. The other way round
    # its row would stay on its way, and nothing would say that there is more to come.
    states = {NoticeState(row["state"]): row["mails"] for row in _by_state(mails)}
    thresholds = _by_threshold(mails)
    expired, expired_count = _expired(company, after=last.from_at, until=company_time(company, now))
    return Caused(
        jump=last,
        notices=[_caused(row) for row in thresholds[:SHOWN]],
        notice_count=thresholds.count(),
        mails=states,
        expired=expired,
        expired_count=expired_count,
    )


def visible_scopes(user: User) -> Collection[str]:
    """The scopes whose certificates this person may see by name."""
    return {scope for source in sources() for scope in source.scopes_of(user)}


def _by_threshold(mails: QuerySet[Notice]) -> QuerySet[Any, Any]:
    """What goes out before what was skipped, the nearest end first."""
    groups = mails.filter(threshold__isnull=False).values("watched", "threshold", "scope", "state", "reason", "link")
    counted = groups.annotate(recipients=Count("pk"), first_subject=Min("subject"))
    return counted.order_by("state", "threshold", "watched", "reason")


def _by_state(mails: QuerySet[Notice]) -> QuerySet[Any, Any]:
    return mails.values("state").annotate(mails=Count("pk")).order_by("state")


def _caused(row: dict[str, Any]) -> CausedNotice:
    return CausedNotice(
        subject=row["first_subject"],
        scope=row["scope"],
        state=NoticeState(row["state"]),
        reason=row["reason"],
        link=row["link"],
        threshold=row["threshold"],
        recipients=row["recipients"],
    )


def _expired(company: Company, *, after: datetime, until: datetime) -> tuple[list[Lifetime], int]:
    """The certificates that ended between these moments of the company's time, the last one first."""
    found: list[Lifetime] = []
    count = 0
    for source in sources():
        ended = source.of_company(company).filter(**{f"{source.expiry}__gte": after, f"{source.expiry}__lt": until})
        count += ended.count()
        keys = ended.order_by(f"-{source.expiry}", "pk").values_list("pk", flat=True)[:SHOWN]
        found += source.find(list(keys))
    return sorted(found, key=lambda lifetime: lifetime.expires_at, reverse=True)[:SHOWN], count
