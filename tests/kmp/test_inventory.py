"""Which entries the inventory lists: every filter, every order, page after page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority.models import Authority
from connect.models import Company
from kmp import inventory, inventory_pages
from kmp.inventory import Order, Sort, Status, Wanted
from kmp.inventory_pages import PAGE_SIZE, page_of
from kmp.models import EntryState, InventoryEntry
from tests.factories import make_company
from tests.kmp.factories import make_many_entries
from tests.kmp.inventory_walk import NOON, forward, references

MIDNIGHT = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)


@pytest.fixture
def company(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Acme Payments Ltd", cid="123456")


@pytest.fixture
def many(company: Company) -> list[InventoryEntry]:
    """More than two pages, with a full page of the same environment, and a neighbour with the same names."""
    make_many_entries(make_company(), 30, now=NOON)
    make_many_entries(company, 3 * PAGE_SIZE + 4, now=NOON)
    return list(InventoryEntry.objects.filter(company=company))


def part_at_noon(entry: InventoryEntry) -> int:
    """Live, expired, renewed, revoked."""
    return entry.state + 1 if entry.state != EntryState.LIVE or entry.expires_at < NOON else 0


IN_ORDER: dict[Sort, Callable[[InventoryEntry], Any]] = {
    Sort.LIVE: lambda entry: (part_at_noon(entry), entry.expires_at, entry.pk.bytes),
    Sort.REFERENCE: lambda entry: int(entry.reference.removeprefix("KM-")),
    Sort.APPLICATION: lambda entry: (entry.application_name, entry.pk.bytes),
    Sort.ENVIRONMENT: lambda entry: (entry.environment, entry.pk.bytes),
    Sort.COMMON_NAME: lambda entry: (entry.common_name, entry.pk.bytes),
    Sort.SERIAL: lambda entry: int(entry.serial, 16),
    Sort.ISSUED: lambda entry: (entry.issued_at, entry.pk.bytes),
    Sort.EXPIRES: lambda entry: (entry.expires_at, entry.pk.bytes),
    Sort.STATUS: lambda entry: (entry.state, entry.expires_at, entry.pk.bytes),
}


@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize("sort", Sort)
def test_pages_hold_every_entry_once_in_order_both_ways(
    company: Company, many: list[InventoryEntry], sort: Sort, is_descending: bool
) -> None:
    order = Order(sort, is_descending)
    pages = forward(company, Wanted(), order)
    expected = [entry.reference for entry in sorted(many, key=IN_ORDER[sort], reverse=is_descending)]
    assert references(*pages) == expected
    assert [len(page.rows) for page in pages] == [PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 4]
    assert [bool(page.previous) for page in pages] == [False, True, True, True]
    assert {str(page.total) for page in pages} == {str(len(many))}
    back = page_of(company, Wanted(), order, before=pages[-1].previous, now=NOON)
    assert references(back) == references(pages[2])
    back = page_of(company, Wanted(), order, before=back.previous, now=NOON)
    assert references(back) == references(pages[1])
    first = page_of(company, Wanted(), order, before=back.previous, now=NOON)
    assert references(first) == references(pages[0])
    assert first.previous == ""


@pytest.mark.parametrize("walked", [1, 10, 40, 78, 79, 2_000])
@pytest.mark.parametrize("order", ["live", "-live", "expires", "-serial", "environment", "-status"])
def test_a_filter_finds_the_same_however_it_is_looked_for(
    company: Company, many: list[InventoryEntry], monkeypatch: pytest.MonkeyPatch, order: str, walked: int
) -> None:
    monkeypatch.setattr(inventory_pages, "WALKED", walked)
    how = Order.read(order)
    by_age = sorted(many, key=IN_ORDER[how.sort], reverse=how.is_descending)
    for wanted, is_met in (
        (Wanted(environment="mtf"), lambda entry: entry.environment == "mtf"),
        (Wanted(status=Status.EXPIRED), lambda entry: inventory.status_of(entry, now=NOON) == Status.EXPIRED),
        (Wanted(status=Status.REVOKED), lambda entry: entry.state == EntryState.REVOKED),
        (Wanted(search="client"), lambda entry: True),
        (Wanted(search="nothing like this"), lambda entry: False),
    ):
        expected = [entry.reference for entry in by_age if is_met(entry)]
        pages = forward(company, wanted, how)
        assert references(*pages) == expected
        assert {page.total.number for page in pages} == {len(expected)}
        for page, before in zip(pages[:0:-1], pages[-2::-1], strict=True):
            back = page_of(company, wanted, how, before=page.previous, now=NOON)
            assert (references(back), back.previous) == (references(before), before.previous)


def test_references_are_sorted_as_numbers(company: Company) -> None:
    short, long = make_many_entries(company, 2)
    InventoryEntry.objects.filter(pk=short.pk).update(reference="KM-999999")
    InventoryEntry.objects.filter(pk=long.pk).update(reference="KM-1000000")
    page = page_of(company, Wanted(), Order(Sort.REFERENCE), now=NOON)
    assert references(page) == ["KM-999999", "KM-1000000"]


def test_a_page_that_would_be_short_at_the_beginning_is_the_first_page(
    company: Company, many: list[InventoryEntry]
) -> None:
    first, second, *_ = forward(company, Wanted(), Order())
    at = page_of(company, Wanted(), Order(), before=references(first)[4], now=NOON)
    assert references(at) == references(first)
    assert at.next == first.next
    assert second.previous == references(second)[0]


@pytest.mark.parametrize("reference", ["KM-1", "nothing", "KM-", "\u0660", "x" * 3000])
def test_an_unknown_place_is_the_first_page(company: Company, many: list[InventoryEntry], reference: str) -> None:
    first = references(page_of(company, Wanted(), Order(), now=NOON))
    assert references(page_of(company, Wanted(), Order(), after=reference, now=NOON)) == first
    assert references(page_of(company, Wanted(), Order(), before=reference, now=NOON)) == first


def test_another_companys_reference_is_no_place_and_costs_the_same(
    company: Company, many: list[InventoryEntry]
) -> None:
    foreign = InventoryEntry.objects.exclude(company=company)[0].reference
    found = []
    for reference in (foreign, "KM-999999999"):
        with CaptureQueriesContext(connection) as captured:
            page = page_of(company, Wanted(), Order(), after=reference, now=NOON)
        found.append((references(page), len(captured)))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("days", "state", "status"),
    [
        (0, EntryState.LIVE, Status.EXPIRED),
        (1, EntryState.LIVE, Status.EXPIRING_SOON),
        (30, EntryState.LIVE, Status.EXPIRING_SOON),
        (31, EntryState.LIVE, Status.ACTIVE),
        (-400, EntryState.RENEWED, Status.RENEWED),
        (400, EntryState.RENEWED, Status.RENEWED),
        (-400, EntryState.REVOKED, Status.REVOKED),
    ],
)
def test_the_status_of_an_entry_is_that_of_the_filter(
    company: Company, days: int, state: EntryState, status: Status
) -> None:
    (entry,) = make_many_entries(company, 1)
    # Calendar days in UTC: at noon, a certificate that ends at midnight of the same day has ended.
    end = MIDNIGHT + timedelta(days=days)
    InventoryEntry.objects.filter(pk=entry.pk).update(state=state, expires_at=end)
    for other in Status:
        page = page_of(company, Wanted(status=other), Order(), now=NOON)
        assert [row.status for row in page.rows] == ([status] if other == status else [])


def test_the_last_day_and_the_last_of_thirty_days_count_to_their_end(company: Company) -> None:
    (entry,) = make_many_entries(company, 1)
    for end, status in (
        (NOON, Status.EXPIRING_SOON),
        (NOON - timedelta(microseconds=1), Status.EXPIRED),
        (MIDNIGHT + timedelta(days=31, microseconds=-1), Status.EXPIRING_SOON),
        (MIDNIGHT + timedelta(days=31), Status.ACTIVE),
    ):
        InventoryEntry.objects.filter(pk=entry.pk).update(state=EntryState.LIVE, expires_at=end)
        (row,) = page_of(company, Wanted(status=status), Order(), now=NOON).rows
        assert row.status == status


def test_filters_are_met_together(company: Company, many: list[InventoryEntry]) -> None:
    application = many[0].application
    wanted = Wanted(application=application, environment="mtf", status=Status.ACTIVE)
    found = {row.entry.pk for page in forward(company, wanted, Order()) for row in page.rows}
    assert found == {
        entry.pk
        for entry in many
        if entry.application_id == application.pk
        and entry.environment == "mtf"
        and inventory.status_of(entry, now=NOON) == Status.ACTIVE
    }
    assert found


@pytest.mark.parametrize("name", ["issued", "expires"])
def test_both_days_of_a_period_are_included(company: Company, many: list[InventoryEntry], name: str) -> None:
    moments = sorted(getattr(entry, f"{name}_at") for entry in many)
    begin, end = moments[10].date(), moments[40].date()
    wanted = Wanted(**{f"{name}_from": begin, f"{name}_until": end})
    found = [row.entry for page in forward(company, wanted, Order()) for row in page.rows]
    assert len(found) == sum(begin <= moment.date() <= end for moment in moments) >= 31


def test_days_at_the_ends_of_the_calendar_are_no_trouble(company: Company, many: list[InventoryEntry]) -> None:
    first, last = date.min, date.max
    wanted = Wanted(issued_from=first, issued_until=last, expires_from=first, expires_until=last)
    assert page_of(company, wanted, Order(), now=NOON).total.number == len(many)


def test_counting_ends_where_nobody_reads_further(
    company: Company, many: list[InventoryEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_pages, "COUNTED", 50)
    total = page_of(company, Wanted(), Order(), now=NOON).total
    assert (str(total), total.number, total.is_capped) == ("50+", 51, True)
    assert str(page_of(company, Wanted(status=Status.EXPIRED), Order(), now=NOON).total) != "50+"


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(search="client"), Wanted(status=Status.EXPIRED)])
def test_the_queries_do_not_grow(company: Company, monkeypatch: pytest.MonkeyPatch, wanted: Wanted) -> None:
    monkeypatch.setattr(inventory_pages, "WALKED", 20)
    found = []
    for count in (10 * PAGE_SIZE + 10, 500):
        make_many_entries(company, count)
        with CaptureQueriesContext(connection) as captured:
            page_of(company, wanted, Order(Sort.STATUS), now=timezone.now())
        found.append(len(captured))
    assert found[0] == found[1] <= 4


def test_pages_are_found_by_an_index_not_by_counting(company: Company, many: list[InventoryEntry]) -> None:
    last = forward(company, Wanted(), Order())[-1]
    with CaptureQueriesContext(connection) as captured:
        page_of(company, Wanted(), Order(), after=last.rows[0].entry.reference, now=NOON)
    assert not [query["sql"] for query in captured if "OFFSET" in query["sql"].upper()]
