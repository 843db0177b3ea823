"""Questions about the inventory: which entries a page or a file lists, in which order, and what it shows of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.expressions import OrderBy
from django.db.models.functions import Length

from connect.lifecycle import days_left
from connect.models import Company
from kmp.inventory_search import Status, first_moment, found_by, has_status, last_moment, status_of
from kmp.models import Application, EntryState, InventoryEntry

__all__ = [
    "COLUMNS",
    "KEYS",
    "Order",
    "Row",
    "Sort",
    "Status",
    "Wanted",
    "expiring_next",
    "listed",
    "live_entries",
    "row_of",
    "rows_for_file",
    "status_of",
    "with_rows",
]

_FILE_BATCH = 2_000
_NEXT = 3
_SHOWN = (
    *("reference", "state", "application_name", "environment", "common_name", "serial", "issued_at", "expires_at"),
    *("certificate__revoked_at", "renewed_by__reference"),
)


class Sort(models.TextChoices):
    """The columns of the table, and the order to begin with; the word stands in the page's address."""

    LIVE = "live", "Live"
    REFERENCE = "reference", "Reference"
    APPLICATION = "application", "Application"
    ENVIRONMENT = "environment", "Environment"
    COMMON_NAME = "common-name", "Common name"
    SERIAL = "serial", "Serial number"
    ISSUED = "issued", "Issued"
    EXPIRES = "expires", "Expires"
    STATUS = "status", "Status"


COLUMNS = tuple(sort for sort in Sort if sort is not Sort.LIVE)

# What each column is sorted by. Each has an index of ``InventoryEntry`` that begins with the company.
KEYS: dict[Sort, tuple[F | Length, ...]] = {
    Sort.LIVE: (F("state"), F("expires_at"), F("id")),
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
    """A column, and whether its last value comes first; or, where no column is chosen, what can be used first."""

    sort: Sort = Sort.LIVE
    is_descending: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        """The order that an address names, such as ``-issued``; live ones first where it names none."""
        name = text.removeprefix("-")
        return cls(Sort(name), text.startswith("-")) if name in Sort.values else cls()

    def __str__(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.sort.value}"

    @property
    def keys(self) -> tuple[OrderBy, ...]:
        """What the database sorts by, within each part."""
        return tuple(key.desc() if self.is_descending else key.asc() for key in KEYS[self.sort])

    @property
    def reverse(self) -> Order:
        """The same column the other way round."""
        return Order(self.sort, not self.is_descending)

    def parts(self, *, now: datetime) -> tuple[Q, ...]:
        """Conditions that part the inventory, one after the other in this order. Columns have one part.

        A part is a piece of an index, which the whole order is not: which certificates can be used changes with time.
        """
        if self.sort is not Sort.LIVE:
            return (Q(),)
        live = Q(state=EntryState.LIVE)
        parts = (
            live & Q(expires_at__gte=now),
            live & Q(expires_at__lt=now),
            Q(state=EntryState.RENEWED),
            Q(state=EntryState.REVOKED),
        )
        return parts[::-1] if self.is_descending else parts

    def part_of(self, entry: InventoryEntry, *, now: datetime) -> int:
        """In which part an entry is."""
        if self.sort is not Sort.LIVE:
            return 0
        is_over = entry.state != EntryState.LIVE or entry.expires_at < now
        part = entry.state + 1 if is_over else 0
        return len(EntryState) - part if self.is_descending else part

    def may_hold(self, part: int, status: Status | None) -> bool:
        """Whether entries with this status, where one is asked for, can stand in a part."""
        if self.sort is not Sort.LIVE or status is None:
            return True
        home = {Status.EXPIRED: 1, Status.RENEWED: 2, Status.REVOKED: 3}.get(status, 0)
        return part == (len(EntryState) - home if self.is_descending else home)

    def whole(self, *, now: datetime) -> tuple[OrderBy | Case, ...]:
        """What the database sorts by where it looks at all parts at once."""
        parts = self.parts(now=now)
        if len(parts) == 1:
            return self.keys
        return (Case(*(When(part, then=Value(number)) for number, part in enumerate(parts))), *self.keys)


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

    @property
    def is_everything(self) -> bool:
        """Whether there is no condition."""
        return self == Wanted()

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


def listed(company: Company, wanted: Wanted, order: Order, *, now: datetime) -> QuerySet[InventoryEntry]:
    """The company's entries that are wanted, in order."""
    return InventoryEntry.objects.filter(wanted.condition(now=now), company=company).order_by(*order.whole(now=now))


def live_entries(company: Company, *, now: datetime) -> QuerySet[InventoryEntry]:
    """Those that can be used now: neither renewed nor revoked nor expired."""
    return InventoryEntry.objects.filter(company=company, state=EntryState.LIVE, expires_at__gte=now)


def expiring_next(company: Company, *, now: datetime) -> list[Row]:
    """The first few that can be used now and expire next."""
    soon = with_rows(live_entries(company, now=now))
    return [row_of(entry, now=now) for entry in soon.order_by("expires_at", "id")[:_NEXT]]


def with_rows(entries: QuerySet[InventoryEntry]) -> QuerySet[InventoryEntry]:
    """Load what rows show and nothing else: making the objects of a page takes as long as all of their columns do."""
    return entries.select_related("certificate", "renewed_by").only(*_SHOWN)


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


def _between(name: str, begin: date | None, end: date | None) -> Q:
    met = Q()
    if begin is not None:
        met &= Q(**{f"{name}__gte": first_moment(begin)})
    if end is not None:
        met &= Q(**{f"{name}__lte": last_moment(end)})
    return met
