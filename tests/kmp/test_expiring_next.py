"""What expires next, in one line each, on KMP's first page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import RevocationReason
from connect.models import Company
from kmp import entries
from kmp.access import entry_of
from kmp.inventory import expiring_next
from kmp.models import InventoryEntry
from tests.connect.factories import move_clock
from tests.kmp.factories import let_entry_expire, make_chain, make_entry, make_many_entries
from tests.page_text import text_of


def entry_with(company: Company, days: int) -> InventoryEntry:
    entry = make_entry(company)
    let_entry_expire(entry, in_days=days)
    return entry


def next_on(client: Client) -> str:
    """The text of the card, empty where there is none."""
    page = text_of(client.get(reverse("kmp:inventory")))
    found = re.search(r"Expires next (.*?) Search", page)
    return found[1] if found else ""


def references(company: Company) -> list[str]:
    return [row.entry.reference for row in expiring_next(company, now=timezone.now())]


def test_without_a_live_certificate_there_is_none(as_olga: Client, acme: Company) -> None:
    assert next_on(as_olga) == ""
    entry_with(acme, -3)
    assert next_on(as_olga) == ""


def test_the_first_three_are_named_with_the_days_that_are_left(as_olga: Client, acme: Company) -> None:
    entries_in_order = [entry_with(acme, days) for days in (5, 9, 40, 90)]
    text = next_on(as_olga)
    for entry, days in zip(entries_in_order[:3], (5, 9, 40), strict=True):
        assert f"{days} days left {entry.reference}, {entry.common_name}, Developers portal client, MTF, on" in text
    assert entries_in_order[3].reference not in text
    let_entry_expire(entries_in_order[3], in_days=1)
    assert next_on(as_olga).startswith(f"1 day left {entries_in_order[3].reference}")


def test_what_is_renewed_revoked_or_another_companys_is_not_among_them(acme: Company, charlies: Company) -> None:
    older, newer = make_chain(acme, versions=2)
    gone = entry_of(acme, entry_with(acme, 3).reference)
    entries.revoke(gone, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    entry_with(charlies, 2)
    let_entry_expire(older, in_days=4)
    assert references(acme) == [newer.reference]


def test_days_are_those_of_the_companys_clock(as_olga: Client, acme: Company) -> None:
    entry = entry_with(acme, 40)
    move_clock(acme, timedelta(days=35))
    assert next_on(as_olga).startswith(f"5 days left {entry.reference}")
    move_clock(acme, timedelta(days=6))
    assert next_on(as_olga) == ""


def test_it_takes_one_query_however_many_there_are(acme: Company) -> None:
    counts = []
    for more in (20, 200):
        make_many_entries(acme, more)
        with CaptureQueriesContext(connection) as queries:
            assert len(expiring_next(acme, now=timezone.now())) == 3
        counts.append(len(queries))
    assert counts == [1, 1]


@pytest.fixture
def charlies(acme: Company) -> Company:
    """Another company."""
    return Company.objects.create(name="Globex GmbH", cid="7654321", country="DE")
