"""What was sent, what is due, what failed and what was skipped, for one scope: one line for each event.

Mails alone are counted: whoever has an account gets each in the bell, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from audit.events import Actor, AuditedObject, record
from certauthority.background import enqueue
from connect.models import Channel, Notice, NoticeState
from connect.tasks import deliver_event

LINES_ON_PAGE = 25
# Counting goes no further: beyond, nobody needs the number, and everybody would wait for it.
COUNTED = 999
_WORST_FIRST = (NoticeState.FAILED, NoticeState.DUE, NoticeState.SENT, NoticeState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Capped:
    """A number that is exact up to ``COUNTED``."""

    number: int

    def __str__(self) -> str:
        return f"{COUNTED}+" if self.number > COUNTED else str(self.number)


@dataclass(frozen=True, slots=True)
class Line:
    """One event: all mails about it, in the order of their addresses. ``first`` stands for what they share."""

    mails: tuple[Notice, ...]

    @property
    def first(self) -> Notice:
        return self.mails[0]

    @property
    def people(self) -> list[str]:
        """Whom it was for: names, or the address of a group mailbox."""
        return [mail.recipient.name if mail.recipient else mail.address for mail in self.mails]

    @property
    def states(self) -> list[tuple[NoticeState, int]]:
        """How many mails are in which state, what needs somebody first."""
        counts = Counter(mail.state for mail in self.mails)
        return [(state, counts[state]) for state in _WORST_FIRST if counts[state]]

    @property
    def troubled(self) -> list[Notice]:
        """The mails that failed, or will be tried again after they failed."""
        return [mail for mail in self.mails if mail.state == NoticeState.FAILED or _is_tried_again(mail)]

    @property
    def failed(self) -> Notice | None:
        """One that has failed for good, if any did."""
        return next((mail for mail in self.mails if mail.state == NoticeState.FAILED), None)

    @property
    def reasons(self) -> list[str]:
        """Why mails were skipped, each reason once."""
        return list(dict.fromkeys(mail.reason for mail in self.mails if mail.state == NoticeState.SKIPPED))

    @property
    def sent_at(self) -> datetime | None:
        """When the last of them was sent."""
        return max((mail.sent_at for mail in self.mails if mail.sent_at), default=None)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, newest first. ``older`` is the id of a mail of the last of them where there are more."""

    lines: tuple[Line, ...]
    older: UUID | None
    show: NoticeState | None
    counts: Mapping[str, Capped]


def log_page(scope: str, *, show: str, before: str) -> LogPage:
    """The newest events of a scope, or those older than the one with the mail ``before``; in one state, or in any.

    Raises 404 where the scope has no such mail.
    """
    state = NoticeState(show) if show in NoticeState.values else None
    mails = _mails(scope, state)
    if before:
        last = _mail_of(scope, before)
        mails = mails.filter(created_at__lte=last.created_at).exclude(created_at=last.created_at, event__lte=last.event)
    keys = list(_events(mails)[: LINES_ON_PAGE + 1])
    lines = _lines(scope, keys[:LINES_ON_PAGE])
    older = lines[-1].first.pk if len(keys) > LINES_ON_PAGE and lines else None
    return LogPage(tuple(lines), older, state, _counts(scope))


def mail_of(scope: str, notice_id: UUID) -> Notice:
    """A mail of the scope. Raises 404 for any other."""
    return _mail_of(scope, str(notice_id))


@transaction.atomic
def try_again(mail: Notice, *, on: AuditedObject, actor: Actor, now: datetime) -> int:
    """Make the failed mails of this one's event due again, all of them. How many there were."""
    failed = Notice.objects.filter(scope=mail.scope, event=mail.event, channel=Channel.MAIL, state=NoticeState.FAILED)
    count = failed.update(state=NoticeState.DUE, due_at=now, attempts=0)
    if count:
        record(
            "notice.tried-again",
            actor=actor,
            on=on,
            now=now,
            before={"failed": count},
            after={"subject": mail.subject, "failed": 0},
        )
        transaction.on_commit(partial(enqueue, deliver_event, mail.event))
    return count


def _mails(scope: str, state: NoticeState | None) -> QuerySet[Notice]:
    mails = Notice.objects.filter(scope=scope, channel=Channel.MAIL)
    return mails.filter(state=state) if state is not None else mails


def _events(mails: QuerySet[Notice]) -> QuerySet[Notice, tuple[datetime, str]]:
    """Their events, newest first. All mails of one were stored at the same moment, unless it was announced twice."""
    return mails.order_by("-created_at", "event").values_list("created_at", "event").distinct()


def _lines(scope: str, keys: Iterable[tuple[datetime, str]]) -> list[Line]:
    found: dict[tuple[datetime, str], list[Notice]] = {key: [] for key in keys}
    if not found:
        return []
    mails = _mails(scope, None).filter(event__in={event for _, event in found}, created_at__in={at for at, _ in found})
    for mail in mails.select_related("recipient").defer("text", "html").order_by("address", "pk"):
        if (mail.created_at, mail.event) in found:
            found[mail.created_at, mail.event].append(mail)
    return [Line(tuple(of_event)) for of_event in found.values() if of_event]


def _counts(scope: str) -> dict[str, Capped]:
    """How many events have a mail in each state, and how many there are."""
    return {
        str(state or "all"): Capped(_events(_mails(scope, state))[: COUNTED + 1].count())
        for state in (None, *NoticeState)
    }


def _mail_of(scope: str, key: str) -> Notice:
    try:
        mail = _mails(scope, None).filter(pk=UUID(key)).first()
    except ValueError:
        mail = None
    if mail is None:
        raise Http404
    return mail


def _is_tried_again(mail: Notice) -> bool:
    return mail.state == NoticeState.DUE and bool(mail.error)
