"""Move a company's clock forward, and put it back to real time. ``now`` is real time throughout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils.formats import date_format

from audit.events import Actor, record
from certauthority.background import enqueue
from certauthority.x509.profile import add_months
from connect.clock import company_time, is_ahead, may_move
from connect.errors import ConnectError
from connect.expiry.sources import sources
from connect.models import Channel, ClockJump, Company, Notice, NoticeState, User
from connect.records import audited_company

RUN_IS_OVER = "The clock run has ended."


class ClockRefused(ConnectError):
    """The clock stays as it is."""


class ClockMovedMeanwhile(ClockRefused):
    """It is not any more as it was on the page from which it was to be moved."""


def clock_state(company: Company) -> str:
    """What a form carries, so that it acts only on the clock that its page showed. No two states are the same text."""
    newest = newest_jump(company)
    seconds = round(company.clock_ahead.total_seconds())
    return f"{company.clock_run or 'real'}:{seconds}:{newest.pk if newest else 'never'}"


def newest_jump(company: Company) -> ClockJump | None:
    """The last jump, of the clock run that is on or of one that is over."""
    return ClockJump.objects.filter(company=company).order_by("-moved_at", "-id").first()


def latest_moment(now: datetime) -> datetime:
    """How far ahead of real time any clock can be: so many calendar years, by the settings."""
    return add_months(now, 12 * settings.CLOCK_MOST_YEARS_AHEAD)


@transaction.atomic
def move(
    company: Company, *, to: datetime, by: User, actor: Actor, now: datetime, state: str | None = None
) -> ClockJump:
    """Let the company's clock show ``to``, and run on from there. The first move begins a clock run.

    ``state`` is what ``clock_state`` said when the person looked; without it the clock is moved as it stands.

    Raises:
        ClockMovedMeanwhile: somebody moved it since then, or put it back; perhaps the same person, by a double click.
        ClockRefused: ``to`` is not ahead of what the clock shows, or too far ahead, or ``by`` may not move it.
    """
    row = _held(company, by=by, state=state)
    before = company_time(row, now)
    if to <= before:
        raise ClockRefused(
            f"A clock only runs forward, and this one shows {in_words(before)} already. Choose a later date, or start "
            "over."
        )
    if to > latest_moment(now):
        raise ClockRefused(
            f"The clock can be at most {settings.CLOCK_MOST_YEARS_AHEAD} years ahead of real time, so the last moment "
            f"is {in_words(latest_moment(now))}. Choose an earlier date, or start over."
        )
    row.clock_ahead, row.clock_run = to - now, row.clock_run or uuid4()
    row.save(update_fields=["clock_ahead", "clock_run"])
    record(
        "company.clock_moved",
        actor=actor,
        on=audited_company(row),
        now=now,
        before={"company_time": before.isoformat()},
        after={"company_time": to.isoformat(), "clock_run": str(row.clock_run)},
    )
    return ClockJump.objects.create(
        company=row, run=row.clock_run, moved_at=now, moved_by=by.email, from_at=before, to_at=to
    )


@transaction.atomic
def start_over(company: Company, *, by: User, actor: Actor, now: datetime, state: str | None = None) -> None:
    """End the clock run: the company's clock shows real time again.

    Thresholds are judged anew, and snoozes of the run end, so that real notices come whatever was sent or silenced in
    it; what the run had still to send is not sent any more. Certificates keep the dates that they have.

    Raises:
        ClockMovedMeanwhile: the clock is not as ``state`` says.
        ClockRefused: no clock run is on, or ``by`` may not end it.
    """
    row = _held(company, by=by, state=state)
    if not is_ahead(row):
        raise ClockRefused("The clock shows real time already. There is nothing to start over.")
    at_last, shown, run = audited_company(row), company_time(row, now), row.clock_run
    row.clock_ahead, row.clock_run = timedelta(0), None
    row.save(update_fields=["clock_ahead", "clock_run"])
    for source in sources():
        source.begin_again(row)
    record(
        "company.clock_started_over",
        actor=actor,
        on=at_last,
        now=now,
        before={"company_time": shown.isoformat(), "clock_run": str(run)},
        after={"company_time": now.isoformat(), "snoozes_ended": sum(source.end_snoozes(row) for source in sources())},
    )
    # What a worker is sending at this moment is left to it.
    pending = Notice.objects.filter(clock_run=run, state=NoticeState.DUE, channel=Channel.MAIL)
    if connection.features.has_select_for_update_skip_locked:
        pending = pending.select_for_update(skip_locked=True)
    Notice.objects.filter(pk__in=pending.values("pk")).update(state=NoticeState.SKIPPED, reason=RUN_IS_OVER)
    transaction.on_commit(partial(scan_soon, row))


def scan_soon(company: Company) -> None:
    """Have a worker judge the company's certificates. Where the message is lost, the next scan of all does it."""
    from connect.tasks import scan_company_expiries  # noqa: PLC0415  tasks call the scan, which reads clocks

    enqueue(scan_company_expiries, str(company.pk))


def in_words(moment: datetime) -> str:
    """A moment as these sentences say it: 4 Jan 2027, 09:41 UTC."""
    return f"{date_format(moment.astimezone(UTC), 'j M Y, H:i', use_l10n=False)} UTC"


def _held(company: Company, *, by: User, state: str | None) -> Company:
    """The company's row, held until the transaction ends: one move after the other."""
    row = Company.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
    # Read anew: the right may have been taken away since this person signed in.
    if not may_move(User.objects.get(pk=by.pk), row):
        raise ClockRefused(
            f"You may not move the clock of {row.name} any more. Ask one of its Security Administrators."
        )
    if state is not None and state != clock_state(row):
        raise ClockMovedMeanwhile(_what_happened(row, by))
    return row


def _what_happened(row: Company, by: User) -> str:
    newest = newest_jump(row)
    who = newest.moved_by if newest is not None else "Somebody"
    if not is_ahead(row):
        return "Nothing was done now: the clock was put back to real time meanwhile. Look at it, and press again."
    if who == by.email:
        return "You have moved the clock already, and it was not moved a second time. Press again to move it further."
    return f"Nothing was done now: {who} moved the clock a moment before you. Look at it, and press again."
