"""The use of a certificate on `Certificate Details`: the chart, the last calls, and what htmx asks for."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from certauthority.models import ReasonCode
from certauthority.use_records import record_calls
from connect.models import Company
from kmp.models import InventoryEntry
from tests.certauthority.seen_calls import seen
from tests.connect.factories import move_clock
from tests.factories import make_company, make_user
from tests.kmp.factories import let_entry_expire, make_chain, make_entry, make_officer
from tests.page_text import text_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    return make_entry(acme)


def url_of(name: str, entry: InventoryEntry, query: str = "") -> str:
    return reverse(f"kmp:{name}", args=[entry.reference]) + query


def call(entry: InventoryEntry, *, ago: timedelta = timedelta(), reason: ReasonCode | None = None) -> None:
    record_calls([seen(entry.certificate, timezone.now() - ago, reason=reason, address="10.20.9.5")])


def test_one_that_was_never_called_says_how_to_begin(as_olga: Client, entry: InventoryEntry) -> None:
    page = as_olga.get(url_of("entry", entry))
    assert "No call yet" in text_of(page)
    assert "Never seen in use here" in text_of(page)
    assert '<a class="btn" href="#try-it">' in page.content.decode()


def test_a_renewed_one_that_was_never_called_offers_no_call(as_olga: Client, acme: Company) -> None:
    old = make_chain(acme, 2)[0]
    page = text_of(as_olga.get(url_of("entry", old)))
    assert "No call yet" in page
    assert "Make the first call" not in page


def test_that_it_is_on_no_project_is_told_until_it_was_accepted(as_olga: Client, entry: InventoryEntry) -> None:
    told = "The endpoint tells a certificate of KMP that it is on no project"
    call(entry, reason=ReasonCode.NOT_ON_PROJECT)
    assert told in text_of(as_olga.get(url_of("entry", entry)))
    call(entry)
    assert told not in text_of(as_olga.get(url_of("entry", entry)))


def test_the_page_tells_its_calls(as_olga: Client, entry: InventoryEntry) -> None:
    call(entry, reason=ReasonCode.NOT_ON_PROJECT)
    text = text_of(as_olga.get(url_of("entry", entry)))
    assert "0 accepted, 1 refused in the last 48 hours" in text
    assert "Never seen in use here" in text
    call(entry)
    call(entry, ago=timedelta(days=4))
    text = text_of(as_olga.get(url_of("entry", entry)))
    assert "1 accepted, 1 refused in the last 48 hours" in text
    assert "Of the last 3 calls 1 was refused: not on any project." in text
    assert "10.20.9.5" in text
    assert f"Last used {timezone.now():%-d %b %Y}" in text
    assert "2 accepted, 1 refused in the last 7 days" in text_of(as_olga.get(url_of("entry", entry, "?use=7d")))


def test_use_is_told_in_real_time_though_the_clock_is_ahead(as_olga: Client, entry: InventoryEntry) -> None:
    call(entry)
    move_clock(entry.company, timedelta(days=45))
    assert "UTC, just now" in text_of(as_olga.get(url_of("entry", entry)))
    assert "1 accepted" in text_of(as_olga.get(url_of("entry", entry)))


def test_an_expired_one_is_still_watched(as_olga: Client, entry: InventoryEntry) -> None:
    let_entry_expire(entry, in_days=-3)
    call(entry, reason=ReasonCode.EXPIRED)
    page = as_olga.get(url_of("entry_calls", entry), headers=HTMX)
    assert "Expired" in text_of(page)
    assert "hx-get" in page.content.decode()


def test_htmx_gets_the_list_and_nothing_while_it_has_not_changed(as_olga: Client, entry: InventoryEntry) -> None:
    call(entry)
    first = as_olga.get(url_of("entry_calls", entry), headers=HTMX)
    assert "Accepted" in text_of(first)
    query = f"?seen={first.context['last_calls'].token}"
    assert as_olga.get(url_of("entry_calls", entry, query), headers=HTMX).status_code == HTTPStatus.NO_CONTENT
    call(entry, reason=ReasonCode.REVOKED)
    then = as_olga.get(url_of("entry_calls", entry, query), headers=HTMX)
    assert "Revoked" in text_of(then)


def test_without_htmx_the_list_is_on_the_page(as_olga: Client, entry: InventoryEntry) -> None:
    response = as_olga.get(url_of("entry_calls", entry))
    assert (response.status_code, response["Location"]) == (HTTPStatus.FOUND, url_of("entry", entry))


def test_officers_of_others_see_no_calls(entry: InventoryEntry) -> None:
    stranger = make_officer(make_company(), email="greta@globex.example")
    client = Client()
    for user in (stranger, make_user()):
        client.force_login(user)
        assert client.get(url_of("entry_calls", entry), headers=HTMX).status_code == HTTPStatus.NOT_FOUND
