"""What a search of the inventory finds, and how serial numbers are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from certauthority.models import Authority
from connect.models import Company
from kmp.inventory import Order, Wanted
from kmp.inventory_pages import PAGE_SIZE, page_of
from kmp.models import EntryState, InventoryEntry
from kmp.serials import read_serial
from tests.factories import make_company
from tests.kmp.factories import make_many_entries
from tests.kmp.inventory_walk import NOON, forward, references


@pytest.fixture
def company(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Acme Payments Ltd", cid="123456")


@pytest.fixture
def many(company: Company) -> list[InventoryEntry]:
    """More than two pages, with a full page of the same environment, and a neighbour with the same names."""
    make_many_entries(make_company(), 30, now=NOON)
    make_many_entries(company, 3 * PAGE_SIZE + 4, now=NOON)
    return list(InventoryEntry.objects.filter(company=company))


def entry_to_find(company: Company) -> InventoryEntry:
    (entry,) = make_many_entries(company, 1)
    InventoryEntry.objects.filter(pk=entry.pk).update(
        reference="KM-204417",
        application_name="Cross-Border Services API-MTLS",
        environment="production",
        common_name="Olga_100%-Client",
        serial="4c810ed7229af365",
        issued_at=datetime(2025, 12, 12, 9, tzinfo=UTC),
        expires_at=datetime(2027, 1, 12, 9, tzinfo=UTC),
        state=EntryState.REVOKED,
    )
    return entry


@pytest.mark.parametrize(
    "text",
    [
        "KM-204417",
        "204417",
        "km-2044",
        "cross-border",
        "Production",
        "olga_100%",
        "OLGA_100%-CLIENT",
        "4c810ed7229af365",
        "4C:81:0E:D7:22:9A:F3:65",
        "0x004C810ED7229AF365",
        "4c 81 0e d7 22 9a f3 65",
        "0E:D7",
        "12 Jan 2027",
        "2027-01-12",
        "January 2027",
        "12 Dec 2025",
        "2025-12",
        "revoked",
        " Revoked ",
        "olga production",
        "production   KM-204417",
    ],
)
def test_a_search_finds_by_every_column(company: Company, many: list[InventoryEntry], text: str) -> None:
    entry_to_find(company)
    pages = forward(company, Wanted(search=text), Order())
    assert "KM-204417" in references(*pages)
    assert len(references(*pages)) < len(many)


@pytest.mark.parametrize(
    "text",
    ["olga1100x", "%", "_", "KM-204417 olgas", "0x", "'", '"', "\\", "4c81 nothing", "13 Jan 2027", "0e:d8"],
)
def test_a_search_finds_nothing_else(company: Company, text: str) -> None:
    entry_to_find(company)
    found = page_of(company, Wanted(search=text), Order(), now=NOON)
    expected = 1 if text in ("%", "_") else 0  # They are in the common name, and stand for nothing but themselves.
    assert found.total.number == expected


def test_a_new_name_of_an_application_is_found(company: Company) -> None:
    entry = entry_to_find(company)
    InventoryEntry.objects.filter(pk=entry.pk).update(application_name="Wholly New Name")
    assert page_of(company, Wanted(search="wholly new"), Order(), now=NOON).total.number == 1


@pytest.mark.parametrize(
    ("text", "serial"),
    [
        ("4c810e", "4c810e"),
        ("4C:81:0E", "4c810e"),
        (" 0x004c 81 0e ", "4c810e"),
        ("0X4C810E", "4c810e"),
        ("00:00", ""),
        ("", ""),
        ("xyz", ""),
        ("4c-81", ""),
        ("f" * 40, "f" * 40),
        ("f" * 41, ""),
        ("４c", ""),
    ],
)
def test_serial_numbers_are_read_as_people_write_them(text: str, serial: str) -> None:
    assert read_serial(text) == serial
