"""What every page ``Notices`` shows: what is due, what is to come, and what became of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from connect.clock import company_time
from connect.expiry.forecast import Coming, in_words
from connect.expiry.letter import successor_has_expired
from connect.expiry.outlook import DUE_DAYS, MONTHS, Due, Outlook, outlook
from connect.lifecycle import days_left
from connect.models import Company, NoticeState
from connect.notice_log import Capped, Line, LogPage, log_page
from connect.notices import Recipient

_NAMED = 3


@dataclass(frozen=True, slots=True)
class DueRow:
    """A notice that will go out. ``days`` from the company's today, 0 for what the next scan sends.

    ``is_next`` where it is the first in the list about its certificate; whether the successor has expired is told as
    it is today.
    """

    coming: Coming
    what: str
    days: int
    to: str
    is_next: bool
    successor_has_expired: bool


@dataclass(frozen=True, slots=True)
class LogRow:
    """An event of the log. ``states`` are those of its mails, each with its words.

    ``what`` is empty where the subject says all, ``retry_url`` where nothing can be tried again.
    """

    line: Line
    link: str
    what: str
    to: str
    states: list[tuple[str, str]]
    retry_url: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter of the log. ``show`` is its value in the address, empty for all."""

    show: str
    label: str
    count: Capped
    is_chosen: bool


def notices_context(
    request: HttpRequest,
    *,
    scope: str,
    company: Company,
    here: str,
    retry_url: Callable[[UUID], str] | None,
    now: datetime,
) -> dict[str, Any]:
    """The context of ``connect/_notices.html``. ``now`` is real time; ``here`` is the page's path.

    ``retry_url`` gives the path that tries a mail again, to who may. Raises 404 for a place in the log that is none.
    """
    company_now = company_time(company, now)
    ahead = outlook([scope], now=company_now)
    log = log_page(scope, show=request.GET.get("show", ""), before=request.GET.get("before", ""))
    return {
        "here": here,
        "company_now": company_now,
        "now": now,
        "outlook": ahead,
        "due_days": DUE_DAYS,
        "coming_months": MONTHS,
        "due_rows": _due_rows(ahead, now=company_now),
        "log": log,
        "log_rows": [_log_row(line, retry_url) for line in log.lines],
        "is_first": not request.GET.get("before"),
        "chips": list(_chips(log)),
        "due_label": f"{ahead.due_count} due",
        "this_month": company_now.astimezone(UTC).date().replace(day=1),
        "may_act": retry_url is not None,
    }


def _due_rows(ahead: Outlook, *, now: datetime) -> list[DueRow]:
    first = {due.coming.lifetime.watched: due for due in reversed(ahead.due)}
    return [_due_row(due, is_next=first[due.coming.lifetime.watched] is due, now=now) for due in ahead.due]


def _due_row(due: Due, *, is_next: bool, now: datetime) -> DueRow:
    return DueRow(
        coming=due.coming,
        what=in_words(due.coming.threshold),
        days=max(0, days_left(due.coming.at, now=now)) if due.coming.at > now else 0,
        to=_in_one_line([_name(recipient) for recipient in due.to]),
        is_next=is_next,
        successor_has_expired=successor_has_expired(due.coming.lifetime, now=now),
    )


def _log_row(line: Line, retry_url: Callable[[UUID], str] | None) -> LogRow:
    first, failed = line.first, line.failed
    return LogRow(
        line=line,
        link=first.link if url_has_allowed_host_and_scheme(first.link, allowed_hosts=None) else "",
        what=in_words(first.threshold) if first.threshold is not None else "",
        to=_in_one_line(line.people),
        states=_states(line),
        retry_url=retry_url(failed.pk) if failed is not None and retry_url is not None else "",
    )


def _states(line: Line) -> list[tuple[str, str]]:
    counted = len(line.states) > 1
    return [(state, f"{count} {state.label.lower()}" if counted else str(state.label)) for state, count in line.states]


def _chips(log: LogPage) -> Iterator[Chip]:
    yield Chip("", "All", log.counts["all"], log.show is None)
    for state in (NoticeState.SENT, NoticeState.DUE, NoticeState.FAILED, NoticeState.SKIPPED):
        yield Chip(state, str(state.label), log.counts[state], log.show == state)


def _name(recipient: Recipient) -> str:
    return recipient.user.name if recipient.user is not None else f"group address {recipient.address}"


def _in_one_line(names: list[str]) -> str:
    """The first names, and how many more there are."""
    shown, more = names[:_NAMED], len(names) - _NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))
