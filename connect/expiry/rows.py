"""The rows that tell people of certificates' ends, and those that say why somebody was not told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.insertion import insert_new
from connect.expiry.messages import Message
from connect.models import Channel, Notice, NoticeState

_COLUMNS = (
    "channel",
    "address",
    "recipient",
    "state",
    "sent_at",
    "event",
    "kind",
    "company",
    "scope",
    "watched",
    "threshold",
    "clock_run",
    "company_at",
    "subject",
    "link",
    "reason",
)
# So the database asks one index whether a notice is there already.
_ONCE = ("event", "address", "channel")
_MAIL, _BELL = Channel.MAIL.value, Channel.BELL.value
_DUE, _SENT, _SKIPPED = NoticeState.DUE.value, NoticeState.SENT.value, NoticeState.SKIPPED.value


@dataclass(frozen=True, slots=True)
class Rows:
    """What goes out, and what does not; values in the order of the columns."""

    told: list[tuple[Any, ...]]
    untold: list[tuple[Any, ...]]


def rows_of(messages: Iterable[Message], *, now: datetime) -> Rows:
    """A mail for each recipient, and one for the bell of each who can sign in.

    Mails are written when they leave (``connect.expiry.mail``). What does not go out is one skipped mail for each.
    """
    rows = Rows([], [])
    for message in messages:
        if message.reason:
            rows.untold.extend(_skipped(message))
        else:
            rows.told.extend(_going_out(message, now))
    return rows


def store(rows: Rows, *, now: datetime) -> int:
    """Store those that are not there yet. How many of them go out."""
    same = {"created_at": now, "due_at": now}
    insert_new(Notice, _COLUMNS, rows.untold, same=same, once=_ONCE)
    return insert_new(Notice, _COLUMNS, rows.told, same=same, once=_ONCE)


def _going_out(message: Message, now: datetime) -> Iterator[tuple[Any, ...]]:
    rest = _rest(message)
    for recipient in message.to:
        address, user = recipient.address.lower(), recipient.user
        yield (_MAIL, address, user.pk if user else None, _DUE, None, *rest)
        if user is not None:
            yield (_BELL, address, user.pk, _SENT, now, *rest)


def _skipped(message: Message) -> Iterator[tuple[Any, ...]]:
    rest = _rest(message)
    for recipient in message.to:
        user = recipient.user.pk if recipient.user else None
        yield (_MAIL, recipient.address.lower(), user, _SKIPPED, None, *rest)


def _rest(message: Message) -> tuple[Any, ...]:
    return (
        message.event,
        message.kind,
        message.company_id,
        message.scope,
        message.watched,
        message.threshold,
        message.clock_run,
        message.company_at,
        message.subject,
        message.link,
        message.reason,
    )
