"""Questions about the inventory: which entries a page or a file lists, in which order, and from where on.

Pages are found by keys and not by counting rows, so that the last page of 100,000 entries costs what the first does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.functions import Length

from connect.lifecycle import days_left
from connect.models import Company
from kmp.inventory_search import Status, first_moment, found_by, has_status, last_moment, status_of
from kmp.models import Application, EntryState, InventoryEntry

__all__ = [
    "COUNTED",
    "PAGE_SIZE",
    "Count",
    "Order",
    "Page",
    "Row",
    "Sort",
    "Status",
    "Wanted",
    "count_of",
    "listed",
    "live_entries",
    "page_of",
    "row_of",
    "rows_for_file",
    "status_of",
]

PAGE_SIZE = 25
# Counting goes no further: beyond, nobody needs the number, and everybody would wait for it.
COUNTED = 10_000
_FILE_BATCH = 2_000


class Sort(models.TextChoices):
    """The columns of the table; the word stands in the page's address."""

    REFERENCE = "reference", "Reference"
    APPLICATION = "application", "Application"
    ENVIRONMENT = "environment", "Environment"
    COMMON_NAME = "common-name", "Common name"
    SERIAL = "serial", "Serial number"
    ISSUED = "issued", "Issued"
    EXPIRES = "expires", "Expires"
    STATUS = "status", "Status"


# What each column is sorted by. Each has an index of ``InventoryEntry`` that begins with the company.
_KEYS: dict[Sort, tuple[F | Length, ...]] = {
    Sort.REFERENCE: (Length("reference"), F("reference")),
    Sort.APPLICATION: (F("application_name"), F("id")),
    Sort.ENVIRONMENT: (F("environment"), F("id")),
    Sort.COMMON_NAME: (F("common_name"), F("id")),
    Sort.SERIAL: (Length("serial"), F("serial"), F("id")),
    Sort.ISSUED: (F("issued_at"), F("id")),
    Sort.EXPIRES: (F("expires_at"), F("id")),
    Sort.STATUS: (F("state"), F("expires_at"), F("id")),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A column, and whether its last value comes first."""

    sort: Sort = Sort.EXPIRES
    is_descending: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        """The order that an address names, such as ``-issued``; soonest expiry first where it names none."""
        name = text.removeprefix("-")
        return cls(Sort(name), text.startswith("-")) if name in Sort.values else cls()

    def __str__(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.sort.value}"

    @property
    def reverse(self) -> Order:
        """The same column the other way round."""
        return Order(self.sort, not self.is_descending)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: all that meet every condition that is given. Days are of the UTC calendar, both included."""

    search: str = ""
    application: Application | None = None
    environment: str = ""
    status: Status | None = None
    issued_from: date | None = None
    issued_until: date | None = None
    expires_from: date | None = None
    expires_until: date | None = None

    def condition(self, *, now: datetime) -> Q:
        """The conditions for the database."""
        met = found_by(self.search, now=now) if self.search.strip() else Q()
        if self.application is not None:
            met &= Q(application_name=self.application.name)
        if self.environment:
            met &= Q(environment=self.environment)
        if self.status is not None:
            met &= has_status(self.status, now=now)
        return (
            met
            & _between("issued_at", self.issued_from, self.issued_until)
            & _between("expires_at", self.expires_from, self.expires_until)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as a page shows it at one moment. ``renewed_by`` is the reference of the next version."""

    entry: InventoryEntry
    status: Status
    days_left: int
    renewed_by: str = ""
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A number that is exact up to ``COUNTED``."""

    number: int

    @property
    def is_capped(self) -> bool:
        return self.number > COUNTED

    def __str__(self) -> str:
        return f"{COUNTED:,}+" if self.is_capped else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows. ``previous`` and ``next`` are references: the page ends before, or begins after, that entry."""

    rows: tuple[Row, ...] = ()
    count: Count = field(default_factory=lambda: Count(0))
    previous: str = ""
    next: str = ""


def listed(company: Company, wanted: Wanted, order: Order, *, now: datetime) -> QuerySet[InventoryEntry]:
    """The company's entries that are wanted, in order."""
    keys = _KEYS[order.sort]
    ordered = [key.desc() if order.is_descending else key.asc() for key in keys]
    return InventoryEntry.objects.filter(wanted.condition(now=now), company=company).order_by(*ordered)


def page_of(
    company: Company, wanted: Wanted, order: Order, *, after: str = "", before: str = "", now: datetime
) -> Page:
    """The page that begins after, or ends before, the entry with this reference; the first page for any other text.

    The number of queries depends neither on the size of the inventory nor on whether another company has the reference.
    """
    entries = listed(company, wanted, order, now=now)
    cursor = _entry(company, after or before)
    if cursor is not None and after:
        keys, has_more = _first_keys(_beyond(entries, cursor, order))
        if keys:
            return _page(keys, count_of(entries), has_previous=True, has_next=has_more, now=now)
    if cursor is not None and not after:
        back = order.reverse
        keys, has_more = _first_keys(_beyond(listed(company, wanted, back, now=now), cursor, back))
        if has_more:
            return _page(keys[::-1], count_of(entries), has_previous=True, has_next=True, now=now)
    # Also when the beginning is reached, so that the first page is always a whole one.
    keys, has_more = _first_keys(entries)
    count = count_of(entries) if has_more else Count(len(keys))
    return _page(keys, count, has_previous=False, has_next=has_more, now=now)


def count_of(entries: QuerySet[InventoryEntry]) -> Count:
    """How many there are, without counting further than anybody reads."""
    return Count(entries.order_by()[: COUNTED + 1].count())


def live_entries(company: Company, *, now: datetime) -> QuerySet[InventoryEntry]:
    """Those that can be used now: neither renewed nor revoked nor expired."""
    return InventoryEntry.objects.filter(company=company, state=EntryState.LIVE, expires_at__gte=now)


def rows_for_file(
    company: Company, wanted: Wanted, order: Order, *, now: datetime
) -> Iterator[tuple[InventoryEntry, Status]]:
    """Every wanted entry with its status, read from one state of the database and held in memory by the thousand."""
    for entry in listed(company, wanted, order, now=now).iterator(chunk_size=_FILE_BATCH):
        yield entry, status_of(entry, now=now)


def row_of(entry: InventoryEntry, *, now: datetime) -> Row:
    """An entry as a page shows it now. Load it with ``renewed_by`` and ``certificate``."""
    successor = getattr(entry, "renewed_by", None)
    return Row(
        entry=entry,
        status=status_of(entry, now=now),
        days_left=days_left(entry.expires_at, now=now),
        renewed_by=successor.reference if successor is not None else "",
        revoked_at=entry.certificate.revoked_at,
    )


def _entry(company: Company, reference: str) -> InventoryEntry | None:
    if not reference:
        return None
    return InventoryEntry.objects.filter(company=company, reference=reference).first()


def _beyond(entries: QuerySet[InventoryEntry], cursor: InventoryEntry, order: Order) -> QuerySet[InventoryEntry]:
    """Those that come after the cursor: a comparison of whole rows, which an index answers (PostgreSQL, 9.25.5)."""
    values = _values_of(cursor, order.sort)
    lookup = TupleLessThan if order.is_descending else TupleGreaterThan
    return entries.filter(lookup(Tuple(*_KEYS[order.sort]), values))


def _values_of(entry: InventoryEntry, sort: Sort) -> tuple[Any, ...]:
    return {
        Sort.REFERENCE: (len(entry.reference), entry.reference),
        Sort.APPLICATION: (entry.application_name, entry.pk),
        Sort.ENVIRONMENT: (entry.environment, entry.pk),
        Sort.COMMON_NAME: (entry.common_name, entry.pk),
        Sort.SERIAL: (len(entry.serial), entry.serial, entry.pk),
        Sort.ISSUED: (entry.issued_at, entry.pk),
        Sort.EXPIRES: (entry.expires_at, entry.pk),
        Sort.STATUS: (entry.state, entry.expires_at, entry.pk),
    }[sort]


def _first_keys(entries: QuerySet[InventoryEntry]) -> tuple[list[UUID], bool]:
    """Keys of one page, and whether there are more. Keys alone, so that the database sorts narrow rows."""
    keys = list(entries.values_list("pk", flat=True)[: PAGE_SIZE + 1])
    return keys[:PAGE_SIZE], len(keys) > PAGE_SIZE


def _page(keys: list[UUID], count: Count, *, has_previous: bool, has_next: bool, now: datetime) -> Page:
    rows = _loaded(keys, now=now)
    return Page(
        rows=rows,
        count=count,
        previous=rows[0].entry.reference if has_previous and rows else "",
        next=rows[-1].entry.reference if has_next and rows else "",
    )


def _loaded(keys: list[UUID], *, now: datetime) -> tuple[Row, ...]:
    """The entries with these keys, in this order, with what rows show."""
    entries = (
        InventoryEntry.objects.filter(pk__in=keys)
        .select_related("certificate", "renewed_by")
        .defer("certificate__der", "certificate__uploaded_chain", "certificate__crl_entry")
    )
    found = {entry.pk: entry for entry in entries}
    return tuple(row_of(found[key], now=now) for key in keys if key in found)


def _between(name: str, begin: date | None, end: date | None) -> Q:
    met = Q()
    if begin is not None:
        met &= Q(**{f"{name}__gte": first_moment(begin)})
    if end is not None:
        met &= Q(**{f"{name}__lte": last_moment(end)})
    return met
