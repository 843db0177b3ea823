"""`Certificates Inventory` as officers see it: the table, its filter in the address, htmx, and who sees it at all."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import RevocationReason
from connect.models import Company, User
from connect.templatetags.look import colon_hex
from kmp import entries
from kmp.inventory import COLUMNS
from kmp.inventory_pages import PAGE_SIZE
from kmp.models import InventoryEntry
from tests.factories import make_company, make_user
from tests.kmp.conftest import signed_in
from tests.kmp.factories import XBS, let_entry_expire, make_chain, make_entry, make_many_entries, make_officer
from tests.page_text import text_of
from tests.portal.credential_pages import PRIVATE_KEY, key_lines

URL = "/kmp/"
_REFERENCE = re.compile(r'<th scope="row" class="nowrap"><a href="/kmp/certificates/(KM-\d+)/">')


def listed(response: Any) -> list[str]:
    assert response.status_code == 200
    return _REFERENCE.findall(response.content.decode())


def link(response: Any, label: str) -> str:
    """The address behind a link of the page's table."""
    body = response.content.decode().replace("&amp;", "&")
    found = re.search(rf'<a [^>]*?href="([^"]*)"[^>]*>(?:<svg.*?</svg>)?(?:<span>)?{re.escape(label)}(?:<|$)', body)
    assert found is not None, label
    return found.group(1)


def test_a_row_shows_every_column(as_olga: Client, acme: Company) -> None:
    entry = make_entry(acme, XBS)
    response = as_olga.get(URL)
    text = text_of(response)
    for value in (
        "Certificates Inventory",
        "Acme Payments Ltd, CID 123456. 1 certificate, 1 of them live.",
        entry.reference,
        "Cross-Border Services API-MTLS",
        "MTF XBS",
        colon_hex(entry.serial),
        f"{entry.issued_at:%-d %b %Y}",
        f"{entry.expires_at:%-d %b %Y}",
        "days left",
        "Active",
        "1 certificate, live first, soonest expiry first",
    ):
        assert value in text
    heads = re.findall(r'<th scope="col"[^>]*><a[^>]*>([^<]*)', response.content.decode())
    assert heads == [
        "Reference",
        "Application",
        "Environment",
        "Common name",
        "Serial number",
        "Issued",
        "Expires",
        "Status",
    ]


def test_renewed_and_revoked_rows_say_more(as_olga: Client, acme: Company) -> None:
    first, second = make_chain(acme, 2)
    revoked = make_entry(acme)
    entries.revoke(revoked, reason=RevocationReason.SUPERSEDED, actor=Actor("olga"), now=timezone.now())
    text = text_of(as_olga.get(URL))
    assert f"Renewed Renewed By {second.reference}" in text
    assert f"Revoked {timezone.now():%-d %b %Y}" in text
    assert "3 certificates, 1 of them live." in text
    assert listed(as_olga.get(URL, {"status": "renewed"})) == [first.reference]


def test_nothing_of_another_company_is_seen(as_olga: Client, acme: Company) -> None:
    foreign = make_many_entries(make_company(name="Foreign Bank"), 3)
    response = as_olga.get(URL)
    assert listed(response) == []
    assert "No certificates yet" in text_of(response)
    assert listed(as_olga.get(URL, {"q": foreign[0].serial})) == []
    assert "No certificate found" in text_of(as_olga.get(URL, {"q": foreign[0].serial}))


def test_every_head_sorts_and_sorts_backwards(as_olga: Client, acme: Company) -> None:
    make_many_entries(acme, 40)
    for sort in COLUMNS:
        response = as_olga.get(URL)
        assert "aria-sort=" not in response.content.decode(), "no column alone says how it begins"
        response = as_olga.get(link(response, sort.label))
        forth = listed(response)
        assert response.content.decode().count("aria-sort=") == 1
        assert 'aria-sort="ascending"' in response.content.decode()
        response = as_olga.get(link(response, sort.label))
        assert 'aria-sort="descending"' in response.content.decode()
        assert listed(response)[0] not in forth


def test_what_can_be_used_and_runs_out_first_stands_first(as_olga: Client, acme: Company) -> None:
    renewed, newest = make_chain(acme, 2)
    expired, soon, late, revoked = (make_entry(acme) for _ in range(4))
    for entry, days in ((renewed, 5), (newest, 90), (expired, -3), (soon, 9), (late, 300), (revoked, 2)):
        let_entry_expire(entry, in_days=days)
    entries.revoke(revoked, reason=RevocationReason.SUPERSEDED, actor=Actor("olga"), now=timezone.now())
    in_order = [entry.reference for entry in (soon, newest, late, expired, renewed, revoked)]
    page = as_olga.get(URL)
    assert listed(page) == in_order
    assert "6 certificates, live first, soonest expiry first" in text_of(page)
    file = b"".join(as_olga.get(reverse("kmp:inventory_file"))).decode()
    assert [line.split(",")[0].strip('"') for line in file.splitlines()[1:]] == in_order
    assert listed(as_olga.get(URL, {"sort": "-live"})) == in_order[::-1]


def test_a_search_of_more_than_five_words_is_refused_unless_it_is_a_serial_number(
    as_olga: Client, acme: Company
) -> None:
    entry, other = make_entry(acme), make_entry(acme)
    response = as_olga.get(URL, {"q": "one two three four five six"})
    assert "A search has at most 5 words." in text_of(response)
    assert set(listed(response)) == {entry.reference, other.reference}
    assert "A search has" not in text_of(as_olga.get(URL, {"q": "one two three four five ONE"}))
    pairs = " ".join(re.findall("..", entry.serial.zfill(40)))
    assert listed(as_olga.get(URL, {"q": pairs})) == [entry.reference]


def test_pages_follow_each_other_with_filter_and_order(as_olga: Client, acme: Company) -> None:
    make_many_entries(acme, 150)
    first = as_olga.get(URL, {"environment": "mtf", "sort": "-issued", "q": "client"})
    second = as_olga.get(link(first, "Next"))
    assert len(listed(first)) == len(listed(second)) == PAGE_SIZE
    assert not set(listed(first)) & set(listed(second))
    query = parse_qs(urlsplit(link(second, "Next")).query)
    assert {name: query[name] for name in ("environment", "sort", "q")} == {
        "environment": ["mtf"],
        "sort": ["-issued"],
        "q": ["client"],
    }
    assert listed(as_olga.get(link(second, "Previous"))) == listed(first)
    assert listed(as_olga.get(link(second, "First page"))) == listed(first)


def test_the_filter_stays_in_the_form_and_in_the_address(as_olga: Client, acme: Company) -> None:
    make_many_entries(acme, 40)
    chosen = {"q": "client", "application": XBS, "environment": "mtf", "status": "active", "expires_from": "2026-01-01"}
    response = as_olga.get(URL, chosen)
    body = response.content.decode()
    for markup in ('value="client"', f'value="{XBS}" selected', 'value="mtf" selected', 'value="active" selected'):
        assert markup in body
    assert '<details class="more" open>' in body
    assert 'value="2026-01-01"' in body
    query = parse_qs(urlsplit(link(response, "Export as CSV")).query)
    assert {name: values[0] for name, values in query.items()} == chosen


def test_htmx_gets_the_table_alone_and_the_plain_address(as_olga: Client, acme: Company) -> None:
    make_many_entries(acme, 60)
    headers = {"HX-Request": "true"}
    response = as_olga.get(URL, {"q": "", "status": "active", "sort": "live", "issued_from": ""}, headers=headers)
    body = response.content.decode().strip()
    assert body.startswith('<div class="stack" id="inventory">')
    assert "<html" not in body
    assert response["HX-Push-Url"] == "/kmp/?status=active"
    assert "HX-Request" in response["Vary"]
    assert 'name="sort" value="live" form="inventory-filter"' in body
    after = as_olga.get(link(as_olga.get(URL), "Next"), headers=headers)
    assert after["HX-Push-Url"] == link(as_olga.get(URL), "Next")


def test_without_htmx_the_page_is_whole(as_olga: Client, acme: Company) -> None:
    make_many_entries(acme, 3)
    body = as_olga.get(URL).content.decode()
    form = body[body.index('<form class="filters"') : body.index("</form>", body.index('<form class="filters"'))]
    assert 'method="get" action="/kmp/"' in form
    assert "<button" in form


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"status": "lost"}, "Status: Choose one of the statuses."),
        ({"environment": "moon"}, "Environment: Choose MTF or Production."),
        ({"application": "none"}, "Application: There is no such application."),
        ({"expires_from": "31.12.2026"}, "Expires from: Give a day as 2027-01-31."),
        ({"issued_until": "2026-02-30"}, "Issued until: Give a day as 2027-01-31."),
        ({"q": "x" * 101}, "Search: A search has at most 100 characters."),
    ],
)
def test_a_wrong_part_of_the_filter_is_named(
    as_olga: Client, acme: Company, wrong: dict[str, str], sentence: str
) -> None:
    make_many_entries(acme, 3)
    for headers in ({}, {"HX-Request": "true"}):
        assert sentence in text_of(as_olga.get(URL, wrong, headers=headers))
    response = as_olga.get(reverse("kmp:inventory_file"), wrong, follow=True)
    assert sentence in text_of(response)


def test_a_private_key_in_the_search_is_not_shown_again(as_olga: Client, acme: Company) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        response = as_olga.get(URL, {"q": PRIVATE_KEY}, headers=headers)
        body = response.content.decode() + response.headers.get("HX-Push-Url", "")
        assert not [line for line in key_lines() if line in body]
        assert "This file holds a private key" in text_of(response)


@pytest.mark.parametrize("sort", ["", "nothing", "-", "--expires", "Expires", "id", "company__name"])
def test_an_odd_order_is_the_usual_one(as_olga: Client, acme: Company, sort: str) -> None:
    make_many_entries(acme, 40)
    assert listed(as_olga.get(URL, {"sort": sort})) == listed(as_olga.get(URL))


def test_markup_in_names_and_searches_is_text(as_olga: Client, acme: Company) -> None:
    (entry,) = make_many_entries(acme, 1)
    InventoryEntry.objects.filter(pk=entry.pk).update(common_name="<script>alert(1)</script>\u202eevil")
    body = as_olga.get(URL, {"q": "<script>"}).content.decode()
    assert listed(as_olga.get(URL, {"q": "<script>"})) == [entry.reference]
    assert "<script>alert" not in body
    assert "U+202E" in body


def test_the_queries_do_not_grow_with_the_inventory(as_olga: Client, acme: Company) -> None:
    found = []
    as_olga.get(URL)  # What a session remembers is asked once.
    for count in (PAGE_SIZE + 1, 300):
        make_many_entries(acme, count)
        with CaptureQueriesContext(connection) as captured:
            as_olga.get(URL, {"q": "client", "sort": "status"})
        found.append(len(captured))
    assert found[0] == found[1]


def test_the_banner_says_what_the_company_lacks(as_olga: Client, as_charlie: Client, acme: Company) -> None:
    assert "requires an additional security officer" not in text_of(as_olga.get(URL))
    assert "requires an additional security officer" in text_of(as_charlie.get(URL))
    acme.group_email = ""
    acme.save()
    assert "Acme Payments Ltd has no Certificate Management Group Email." in text_of(as_olga.get(URL))
    alone = signed_in(make_officer(make_company(name="Alone Ltd")))
    text = text_of(alone.get(URL))
    assert "Alone Ltd requires an additional security officer. It has no Certificate Management Group Email" in text


def test_who_is_no_officer_is_led_to_the_store(olga: User, acme: Company) -> None:
    for user in (make_user(company=acme), make_user(company=None), make_user(company=None, is_staff=True)):
        for name in ("kmp:inventory", "kmp:inventory_file"):
            response = signed_in(user).get(reverse(name))
            assert response.status_code == 403
            assert f'href="{reverse("connect:store")}"' in response.content.decode()
            assert "Request access to it in the Store" in text_of(response)


def test_access_that_was_withdrawn_ends_at_once(as_olga: Client, olga: User) -> None:
    assert as_olga.get(URL).status_code == 200
    olga.access_requests.update(state="withdrawn")
    assert as_olga.get(URL).status_code == 403


def test_only_reading(as_olga: Client) -> None:
    assert as_olga.post(URL).status_code == 405
