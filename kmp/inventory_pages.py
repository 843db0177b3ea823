"""Pages of the inventory, found by keys and not by counting rows: the last page of 100,000 entries costs what the first
does.

A filter that many entries meet is answered by walking along the index of the order until the page is full. Where few
meet it, that walk would pass every entry, one by one, and looking at all of them at once and sorting what is left is
faster. Statistics do not tell which it is, so a short walk is tried first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, Value, When, Window
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)

from connect.models import Company
from kmp.inventory import KEYS, Order, Row, Sort, Wanted, listed, row_of, with_rows
from kmp.inventory_parts import counted, first_keys
from kmp.models import InventoryEntry

PAGE_SIZE = 25
# Counting goes no further: beyond, nobody needs the number, and everybody would wait for it.
COUNTED = 10_000
# How far the short walk goes. It finds a page of whatever one in eighty entries meets.
WALKED = 2_000


# What each order compares, all of which its index has; and what any of them may.
_COMPARED: dict[Sort, tuple[str, ...]] = {
    Sort.LIVE: ("state", "expires_at"),
    Sort.REFERENCE: ("reference",),
    Sort.APPLICATION: ("application_name",),
    Sort.ENVIRONMENT: ("environment",),
    Sort.COMMON_NAME: ("common_name",),
    Sort.SERIAL: ("serial",),
    Sort.ISSUED: ("issued_at",),
    Sort.EXPIRES: ("expires_at",),
    Sort.STATUS: ("state", "expires_at"),
}
_CURSOR = ("reference", "state", "expires_at", "issued_at", "application_name", "environment", "common_name", "serial")


@dataclass(frozen=True, slots=True)
class Total:
    """A number that is exact up to ``COUNTED``."""

    number: int

    @property
    def is_capped(self) -> bool:
        """Whether there are more than were counted."""
        return self.number > COUNTED

    def __str__(self) -> str:
        return f"{COUNTED:,}+" if self.is_capped else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows. ``previous`` and ``next`` are references: the page ends before, or begins after, that entry."""

    rows: tuple[Row, ...] = ()
    total: Total = field(default_factory=lambda: Total(0))
    previous: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """Keys of at most one page, whether more follow, and how many meet the conditions on all pages together.

    Where nothing lies after the cursor, they may be those of the first page: then ``is_start`` is set.
    """

    keys: list[UUID]
    has_more: bool
    total: Total
    is_start: bool = False


def page_of(
    company: Company, wanted: Wanted, order: Order, *, after: str = "", before: str = "", now: datetime
) -> Page:
    """The page that begins after, or ends before, the entry with this reference; the first page for any other text.

    The number of queries depends neither on the size of the inventory nor on whether another company has the reference.
    """
    cursor = _entry(company, after or before)
    if cursor is not None and after:
        found = _find(company, wanted, order, cursor, now=now)
        if found.keys:
            return _page(found.keys, found, has_previous=not found.is_start, has_next=found.has_more, now=now)
    if cursor is not None and not after:
        found = _find(company, wanted, order.reverse, cursor, now=now)
        if found.has_more and not found.is_start:
            return _page(found.keys[::-1], found, has_previous=True, has_next=True, now=now)
    # Also when the beginning is reached, so that the first page is always a whole one.
    found = _find(company, wanted, order, None, now=now)
    return _page(found.keys, found, has_previous=False, has_next=found.has_more, now=now)


def totals_of(company: Company, *, now: datetime) -> tuple[Total, Total]:
    """How many the company has, and how many of them can be used now."""
    whole, live = counted(company, at_most=COUNTED + 1, now=now)
    return Total(whole), Total(live)


def total_of(entries: QuerySet[InventoryEntry]) -> Total:
    """How many there are, without counting further than anybody reads."""
    return Total(entries.order_by()[: COUNTED + 1].count())


def _entry(company: Company, reference: str) -> InventoryEntry | None:
    if not reference:
        return None
    found = InventoryEntry.objects.filter(company=company, reference=reference)
    return next(iter(found.only(*_CURSOR)), None)


def _find(company: Company, wanted: Wanted, order: Order, cursor: InventoryEntry | None, *, now: datetime) -> _Found:
    """The first entries that are wanted, after the cursor if there is one."""
    entries = listed(company, wanted, order, now=now)
    keys: list[UUID] = []
    if wanted.is_everything and order.sort is Sort.LIVE:
        keys = first_keys(company, order, cursor, at_most=PAGE_SIZE + 1, now=now)
        return _found(keys, Total(len(keys)) if cursor is None and len(keys) <= PAGE_SIZE else total_of(entries))
    for part, begin in _parts_ahead(wanted, order, cursor, now=now):
        ahead = _within(entries, part, begin, order)
        if not wanted.is_everything:
            end = _end_of_walk(company, part, begin, order)
            if end is not None:
                keys += _first_keys(ahead.filter(_lies_until(end, order)), len(keys))
                if len(keys) <= PAGE_SIZE:
                    return _find_among_all(entries, order, cursor, now=now)
                break
        keys += _first_keys(ahead, len(keys))
        if len(keys) > PAGE_SIZE:
            break
    if cursor is None and len(keys) <= PAGE_SIZE:
        return _found(keys, Total(len(keys)))
    return _found(keys, total_of(entries))


def _found(keys: list[UUID], total: Total) -> _Found:
    return _Found(keys[:PAGE_SIZE], len(keys) > PAGE_SIZE, total)


def _parts_ahead(
    wanted: Wanted, order: Order, cursor: InventoryEntry | None, *, now: datetime
) -> Iterator[tuple[Q, InventoryEntry | None]]:
    """The parts that a page may reach into, and the entry after which it begins there."""
    first = order.part_of(cursor, now=now) if cursor is not None else 0
    for number, part in enumerate(order.parts(now=now)):
        if number >= first and order.may_hold(number, wanted.status):
            yield part, cursor if number == first else None


def _within(
    entries: QuerySet[InventoryEntry], part: Q, begin: InventoryEntry | None, order: Order
) -> QuerySet[InventoryEntry]:
    """The entries of a part, after one of them if there is one, in the order of an index."""
    found = entries.filter(part).order_by(*order.keys)
    return found.filter(_lies_after(begin, order)) if begin is not None else found


def _end_of_walk(company: Company, part: Q, begin: InventoryEntry | None, order: Order) -> InventoryEntry | None:
    """The last entry that the short walk looks at; None where it looks at every entry that is left in the part."""
    entries = _within(InventoryEntry.objects.filter(company=company), part, begin, order)
    return entries.only(*_COMPARED[order.sort])[WALKED : WALKED + 1].first()


def _first_keys(entries: QuerySet[InventoryEntry], have: int) -> list[UUID]:
    """Keys of what is left of one page, and of one entry more. Keys alone, so that the database sorts narrow rows."""
    return list(entries.values_list("pk", flat=True)[: PAGE_SIZE + 1 - have])


def _find_among_all(
    entries: QuerySet[InventoryEntry], order: Order, cursor: InventoryEntry | None, *, now: datetime
) -> _Found:
    """Look at all at once. Counting over all of them keeps the database from walking along the order's index."""
    is_ahead: Case | Value = Value(True)
    if cursor is not None:
        is_ahead = Case(When(_is_ahead(cursor, order, now=now), then=Value(True)), default=Value(False))
    found = (
        entries.annotate(is_ahead=is_ahead, total=Window(Count("*")))
        .order_by(F("is_ahead").desc(), *order.whole(now=now))
        .values_list("pk", "is_ahead", "total")[: PAGE_SIZE + 1]
    )
    rows = list(found)
    total = Total(rows[0][2] if rows else 0)
    keys = [pk for pk, ahead, _ in rows if ahead]
    if keys or cursor is None:
        return _found(keys, total)
    return _Found([pk for pk, _, _ in rows][:PAGE_SIZE], len(rows) > PAGE_SIZE, total, is_start=True)


def _is_ahead(cursor: InventoryEntry, order: Order, *, now: datetime) -> Q:
    """Whether an entry lies after the cursor, in whichever part it is."""
    parts, number = order.parts(now=now), order.part_of(cursor, now=now)
    ahead = parts[number] & Q(_lies_after(cursor, order))
    for part in parts[number + 1 :]:
        ahead |= part
    return ahead


def _lies_after(cursor: InventoryEntry, order: Order) -> TupleGreaterThan | TupleLessThan:
    """A comparison of whole rows, which an index answers (PostgreSQL, 9.25.5)."""
    row, values = Tuple(*KEYS[order.sort]), _values_of(cursor, order.sort)
    return TupleLessThan(row, values) if order.is_descending else TupleGreaterThan(row, values)


def _lies_until(end: InventoryEntry, order: Order) -> TupleGreaterThanOrEqual | TupleLessThanOrEqual:
    row, values = Tuple(*KEYS[order.sort]), _values_of(end, order.sort)
    return TupleGreaterThanOrEqual(row, values) if order.is_descending else TupleLessThanOrEqual(row, values)


def _values_of(entry: InventoryEntry, sort: Sort) -> tuple[Any, ...]:
    values = [getattr(entry, name) for name in _COMPARED[sort]]
    if sort in (Sort.REFERENCE, Sort.SERIAL):
        values.insert(0, len(values[0]))
    return tuple(values) if sort is Sort.REFERENCE else (*values, entry.pk)


def _page(keys: list[UUID], found: _Found, *, has_previous: bool, has_next: bool, now: datetime) -> Page:
    rows = _loaded(keys, now=now)
    return Page(
        rows=rows,
        total=found.total,
        previous=rows[0].entry.reference if has_previous and rows else "",
        next=rows[-1].entry.reference if has_next and rows else "",
    )


def _loaded(keys: list[UUID], *, now: datetime) -> tuple[Row, ...]:
    """The entries with these keys, in this order, with what rows show."""
    found = {entry.pk: entry for entry in with_rows(InventoryEntry.objects.filter(pk__in=keys))} if keys else {}
    return tuple(row_of(found[key], now=now) for key in keys if key in found)
