"""The order to begin with, asked for in one query: the same as the database sorts by the whole of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connect.models import Company
from kmp.inventory import Order, Sort, Wanted, listed
from kmp.inventory_pages import PAGE_SIZE, page_of
from kmp.inventory_parts import first_keys
from kmp.models import EntryState, InventoryEntry
from tests.factories import make_company
from tests.kmp.factories import make_many_entries

ORDERS = (Order(Sort.LIVE), Order(Sort.LIVE, is_descending=True))
BOTH_WAYS = pytest.mark.parametrize("order", ORDERS, ids=["live-first", "live-last"])


def fill(company: Company, *, each: int) -> None:
    """So many in each part, two of them with one end."""
    now = timezone.now()
    keys = [entry.pk for entry in make_many_entries(company, 4 * each)]
    for part, (state, days) in enumerate(
        [(EntryState.LIVE, 5), (EntryState.LIVE, -90), (EntryState.RENEWED, -30), (EntryState.REVOKED, 20)]
    ):
        for number, key in enumerate(keys[part * each : (part + 1) * each]):
            ends = now + timedelta(days=days + number // 2)
            InventoryEntry.objects.filter(pk=key).update(state=state, expires_at=ends)


@BOTH_WAYS
def test_every_place_has_the_same_neighbours_as_in_the_whole_order(acme: Company, order: Order) -> None:
    fill(acme, each=3)
    make_many_entries(make_company(name="Foreign Bank"), 3)
    now = timezone.now()
    whole = list(listed(acme, Wanted(), order, now=now))
    assert len(whole) == 12
    keys = [entry.pk for entry in whole]
    assert first_keys(acme, order, None, at_most=26, now=now) == keys
    assert first_keys(acme, order, None, at_most=4, now=now) == keys[:4]
    for place, entry in enumerate(whole):
        assert first_keys(acme, order, entry, at_most=26, now=now) == keys[place + 1 :]
        assert first_keys(acme, order, entry, at_most=2, now=now) == keys[place + 1 :][:2]


def test_what_ends_this_very_moment_can_still_be_used(acme: Company) -> None:
    (entry,) = make_many_entries(acme, 1)
    for order in ORDERS:
        for ends in (entry.expires_at, entry.expires_at + timedelta(microseconds=1)):
            assert first_keys(acme, order, None, at_most=26, now=ends) == [entry.pk]
            assert [one.pk for one in listed(acme, Wanted(), order, now=ends)] == [entry.pk]


def test_a_page_asks_as_many_queries_whatever_parts_it_reaches_into(acme: Company) -> None:
    def queries() -> set[int]:
        now = timezone.now()
        entries = list(listed(acme, Wanted(), Order(), now=now))
        found = set()
        for place in (PAGE_SIZE + 2, (PAGE_SIZE + len(entries)) // 2, len(entries) - 1):
            with CaptureQueriesContext(connection) as captured:
                page = page_of(acme, Wanted(), Order(), before=entries[place].reference, now=now)
            assert len(page.rows) == PAGE_SIZE
            found.add(len(captured))
        return found

    fill(acme, each=8)
    few = queries()
    fill(acme, each=30)
    assert queries() == few
    assert len(few) == 1
