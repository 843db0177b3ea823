"""The order to begin with, live ones first, in one question for all of its parts.

Each part is a piece of one index; the order over all of them is none (``Order.parts``). So a statement takes the first
few of each, which costs the same whichever of them a page reaches into. It is written here: Django would take longer to
write it than the database to answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection

from audit.statements import ask
from connect.models import Company
from kmp.inventory import Order
from kmp.models import EntryState, InventoryEntry

# Where each part is, as ``Order.parts`` has them: the state, and for live ones on which side of now they end.
_PARTS = (
    (EntryState.LIVE, "AND expires_at >= %s"),
    (EntryState.LIVE, "AND expires_at < %s"),
    (EntryState.RENEWED, ""),
    (EntryState.REVOKED, ""),
)
_PART = """
SELECT {number} AS part, id FROM (
  SELECT id FROM kmp_inventoryentry WHERE company_id = %s AND state = %s {end} {begin}
  ORDER BY state {way}, expires_at {way}, id {way} LIMIT %s
) AS part{number}"""

_COUNT = (
    "(SELECT count(*) FROM (SELECT 1 FROM kmp_inventoryentry WHERE company_id = %s AND state = %s {} LIMIT %s) part)"
)
_COUNTS = f"SELECT {', '.join(_COUNT.format(end) for _, end in _PARTS)}"


def counted(company: Company, *, at_most: int, now: datetime) -> tuple[int, int]:
    """How many the company has, and how many of them can be used now, each counted no further; in one query.

    What can be used now is looked at once for both.
    """
    values: list[Any] = []
    for state, end in _PARTS:
        values += [company.pk.hex, state.value, *([_moment(now)] if end else []), at_most]
    ((live, *others),) = ask(_COUNTS, values)
    return min(live + sum(others), at_most), live


def first_keys(
    company: Company, order: Order, cursor: InventoryEntry | None, *, at_most: int, now: datetime
) -> list[UUID]:
    """Keys of the company's first entries after the cursor, or of all, live ones first or last; in one query."""
    statements, values = zip(*_parts(company, order, cursor, at_most=at_most, now=now), strict=True)
    # Each part comes in its order; which part comes first is nowhere promised.
    found = sorted(ask(" UNION ALL ".join(statements), list(chain.from_iterable(values))), key=lambda row: row[0])
    return [key if isinstance(key, UUID) else UUID(key) for _, key in found[:at_most]]


def _parts(
    company: Company, order: Order, cursor: InventoryEntry | None, *, at_most: int, now: datetime
) -> Iterator[tuple[str, list[Any]]]:
    """The statement of each part that lies ahead, with its values."""
    first = order.part_of(cursor, now=now) if cursor is not None else 0
    way, beyond = ("DESC", "<") if order.is_descending else ("ASC", ">")
    in_order = reversed(_PARTS) if order.is_descending else iter(_PARTS)
    for number, (state, end) in enumerate(in_order):
        if number < first:
            continue
        begin, values = "", [company.pk.hex, state.value]
        if end:
            values.append(_moment(now))
        if cursor is not None and number == first:
            begin = f"AND (expires_at, id) {beyond} (%s, %s)"
            values += [_moment(cursor.expires_at), cursor.pk.hex]
        yield _PART.format(number=number, end=end, begin=begin, way=way), [*values, at_most]


def _moment(moment: datetime) -> Any:
    """As the database keeps it: SQLite has text."""
    return connection.ops.adapt_datetimefield_value(moment)
