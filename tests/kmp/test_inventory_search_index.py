"""What a search in the inventory reads: one index, which holds serial numbers as the last word of a row's text."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connect.models import Company
from kmp import inventory_pages
from kmp.inventory import Order, Wanted, listed, live_entries
from kmp.inventory_pages import page_of, totals_of
from kmp.models import EntryState, InventoryEntry
from tests.factories import make_company
from tests.kmp.factories import make_many_entries

pytestmark = pytest.mark.usefixtures("authorities")
MANY_WORDS = "4c 81 0e d7 22 9a f3"


def found(company: Company, text: str) -> set[str]:
    return {entry.serial for entry in listed(company, Wanted(search=text), Order(), now=timezone.now())}


@pytest.mark.parametrize(
    ("text", "serials"),
    [
        ("20524", {"520524a", "77", "88"}),
        ("0020524", {"520524a", "88"}),
        ("0x20524", {"520524a"}),
        ("00:20:52:4", {"520524a"}),
        ("20 524", {"520524a", "77", "88"}),
        ("020524 77", set()),
        ("0x88", {"88"}),
        ("00099", set()),
    ],
    ids=["as-it-is", "zeros", "prefix", "colons", "spaces", "another-word", "short", "absent"],
)
def test_a_serial_number_is_found_in_serial_numbers_and_a_word_everywhere(
    acme: Company, text: str, serials: set[str]
) -> None:
    one, name, zeros = make_many_entries(acme, 3)
    for entry, common_name, serial in (
        (one, "One-Client", "520524a"),
        (name, "20524-Client", "77"),
        (zeros, "0020524-Client", "88"),
    ):
        InventoryEntry.objects.filter(pk=entry.pk).update(common_name=common_name, serial=serial)
    assert found(acme, text) == serials


def test_a_serial_number_of_many_words_is_one(acme: Company) -> None:
    one, name = make_many_entries(acme, 2)
    InventoryEntry.objects.filter(pk=one.pk).update(serial="4c810ed7229af3")
    InventoryEntry.objects.filter(pk=name.pk).update(common_name="4c810ed7229af3", serial="99")
    assert found(acme, MANY_WORDS) == {"4c810ed7229af3"}


@pytest.mark.parametrize("text", ["client", "0020524", MANY_WORDS], ids=["word", "zeros", "many-words"])
def test_a_search_in_the_first_order_reads_one_index_alone(
    acme: Company, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_pages, "WALKED", 10)
    make_many_entries(acme, 60)
    with CaptureQueriesContext(connection) as captured:
        page_of(acme, Wanted(search=text), Order(), now=timezone.now())
    searches = [query["sql"] for query in captured if "search_text" in query["sql"]]
    (index,) = (one for one in InventoryEntry._meta.indexes if one.name == "inventory_by_state_and_text")
    held = {InventoryEntry._meta.get_field(name).column for name in index.fields}  # type: ignore[union-attr]  # fields have one
    assert len(searches) == 2
    for sql in searches:
        assert set(re.findall(r'"kmp_inventoryentry"\."(\w+)"', sql)) <= held


def test_both_numbers_of_a_company_are_counted_in_one_query(acme: Company) -> None:
    make_many_entries(make_company(name="Foreign Bank"), 7)
    entries = make_many_entries(acme, 40)
    for number, one in enumerate(entries[:3]):
        InventoryEntry.objects.filter(pk=one.pk).update(
            state=EntryState.LIVE, expires_at=timezone.now() - timedelta(days=number)
        )
    now = timezone.now()
    with CaptureQueriesContext(connection) as captured:
        whole, live = totals_of(acme, now=now)
    assert len(captured) == 1
    assert whole.number == 40
    assert live.number == live_entries(acme, now=now).count() > 0
    assert not whole.is_capped


@pytest.mark.parametrize(
    ("counted", "shown"), [(5, ("5+", "5+")), (20, ("20+", "12")), (29, ("29+", "12")), (30, ("30", "12"))]
)
def test_neither_is_counted_further_than_anybody_reads(
    acme: Company, monkeypatch: pytest.MonkeyPatch, counted: int, shown: tuple[str, str]
) -> None:
    monkeypatch.setattr(inventory_pages, "COUNTED", counted)
    keys = [entry.pk for entry in make_many_entries(acme, 30)]
    soon = timezone.now() + timedelta(days=5)
    InventoryEntry.objects.filter(pk__in=keys[:12]).update(state=EntryState.LIVE, expires_at=soon)
    InventoryEntry.objects.filter(pk__in=keys[12:20]).update(state=EntryState.LIVE, expires_at=soon - timedelta(days=9))
    InventoryEntry.objects.filter(pk__in=keys[20:25]).update(state=EntryState.RENEWED)
    InventoryEntry.objects.filter(pk__in=keys[25:]).update(state=EntryState.REVOKED)
    whole, live = totals_of(acme, now=timezone.now())
    assert (str(whole), str(live)) == shown
