"""`Snooze` on the page of a certificate of the inventory."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import RevocationReason
from connect.models import Company
from kmp import entries
from kmp.access import entry_of
from kmp.models import InventoryEntry
from tests.kmp.factories import make_entry
from tests.page_text import text_of


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    return make_entry(acme)


@pytest.fixture
def url(entry: InventoryEntry) -> str:
    return reverse("kmp:entry_snooze", args=[entry.reference])


@pytest.fixture
def page(entry: InventoryEntry) -> str:
    return reverse("kmp:entry", args=[entry.reference])


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def until(entry: InventoryEntry) -> str:
    found = InventoryEntry.objects.get(pk=entry.pk).snoozed_until
    return found.isoformat() if found else ""


def test_an_officer_snoozes_and_wakes_it(as_olga: Client, url: str, page: str, entry: InventoryEntry) -> None:
    assert "Snooze its notices" in text_of(as_olga.get(page))
    response = as_olga.post(url, {"until": in_days(9)}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert until(entry) == in_days(9)
    text = text_of(response)
    assert f"{entry.reference} is snoozed until" in text
    assert "as olga@acme.example asked" in text
    assert f"Snoozed its notices until {in_days(9)}" in text
    text = text_of(as_olga.post(url, {"wake": "1"}, follow=True))
    assert f"{entry.reference} is awake." in text
    assert "Woke up its notices" in text
    assert until(entry) == ""


def test_a_wrong_day_changes_nothing_and_stays_in_its_box(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    response = as_olga.post(url, {"until": "soon"})
    assert "Give a day as 2027-01-31." in text_of(response)
    assert 'value="soon"' in response.content.decode()
    assert until(entry) == ""


def test_nobody_else_finds_it(as_charlie: Client, url: str, entry: InventoryEntry) -> None:
    assert as_charlie.get(url).status_code == 404
    assert as_charlie.post(url, {"until": in_days(9)}).status_code == 404
    assert until(entry) == ""


def test_a_revoked_one_is_only_told_about(as_olga: Client, url: str, page: str, entry: InventoryEntry) -> None:
    loaded = entry_of(entry.company, entry.reference)
    entries.revoke(loaded, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    response = as_olga.post(url, {"until": in_days(9)}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert f"{entry.reference} is revoked." in text_of(response)
    assert "Snooze its notices" not in text_of(response)
    assert until(entry) == ""
