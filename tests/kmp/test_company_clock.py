"""KMP at the company's own time: what its pages and files say."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connect.lifecycle import days_left
from connect.models import Company, User
from connect.templatetags.look import days_left as in_words
from kmp.judgement import judge
from kmp.models import InventoryEntry
from tests.connect.factories import move_clock
from tests.kmp.factories import make_entry, make_kmp_csr, make_many_entries, rules_for
from tests.kmp.wizard import make_draft, make_renewal
from tests.page_text import text_of

# Certificates last 13 calendar months, which are 393 to 397 days.
SOON = timedelta(days=380)
OVER = timedelta(days=400)
ADDRESSES = {
    "inventory": lambda entry: reverse("kmp:inventory"),
    "details": lambda entry: reverse("kmp:entry", args=[entry.reference]),
    "download": lambda entry: reverse("kmp:entry_download", args=[entry.reference]),
    "revoke": lambda entry: reverse("kmp:entry_revoke", args=[entry.reference]),
}
PAGES = pytest.mark.parametrize("page", list(ADDRESSES))
# The download names the certificate and shows no dates.
DATED = pytest.mark.parametrize("page", ["inventory", "details", "revoke"])


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    return make_entry(acme)


def left(entry: InventoryEntry, *, ahead: timedelta = timedelta(0)) -> str:
    """As pages write it: ``14 days left``."""
    return in_words(days_left(entry.expires_at, now=timezone.now() + ahead))


@DATED
def test_a_page_tells_the_days_that_are_left_by_the_companys_clock(
    as_olga: Client, acme: Company, entry: InventoryEntry, page: str
) -> None:
    address = ADDRESSES[page](entry)
    assert left(entry) in text_of(as_olga.get(address)).lower()
    move_clock(acme, SOON)
    text = text_of(as_olga.get(address)).lower()
    assert left(entry, ahead=SOON) in text
    assert left(entry) not in text


@PAGES
def test_the_pages_of_another_company_stay_as_they_are(
    as_charlie: Client, acme: Company, entry: InventoryEntry, page: str
) -> None:
    theirs = make_entry(User.objects.get(email="charlie@globex.example").company)
    address = ADDRESSES[page](theirs)
    before = text_of(as_charlie.get(address))
    move_clock(acme, OVER)
    assert text_of(as_charlie.get(address)) == before


@PAGES
def test_a_certificate_expires_soon_and_then_has_expired_by_the_companys_clock(
    as_olga: Client, acme: Company, entry: InventoryEntry, page: str
) -> None:
    address = ADDRESSES[page](entry)

    def status() -> str:
        context = as_olga.get(address).context
        return str((context["page"].rows[0] if page == "inventory" else context["row"]).status)

    assert status() == "active"
    move_clock(acme, SOON)
    assert status() == "expiring_soon"
    move_clock(acme, OVER - SOON)
    assert status() == "expired"


@pytest.mark.parametrize("query", [{"status": "expired"}, {"q": "Expired"}, {"q": "expired", "sort": "-expires"}])
def test_filter_and_search_by_status_go_by_it(
    as_olga: Client, acme: Company, entry: InventoryEntry, query: dict[str, str]
) -> None:
    def references() -> list[str]:
        return [row.entry.reference for row in as_olga.get(reverse("kmp:inventory"), query).context["page"].rows]

    assert references() == []
    move_clock(acme, OVER)
    assert references() == [entry.reference]


def test_what_can_be_used_is_counted_and_listed_first_by_it(as_olga: Client, acme: Company) -> None:
    older = make_entry(acme, now=timezone.now() - timedelta(days=200))
    newer = make_entry(acme)
    address = reverse("kmp:inventory")
    assert "2 certificates, 2 of them live." in text_of(as_olga.get(address))
    move_clock(acme, timedelta(days=300))
    page = as_olga.get(address)
    assert "2 certificates, 1 of them live." in text_of(page)
    assert [row.entry.reference for row in page.context["page"].rows] == [newer.reference, older.reference]


def test_the_file_has_the_statuses_and_the_day_of_its_clock(
    as_olga: Client, acme: Company, entry: InventoryEntry
) -> None:
    def file() -> tuple[str, str]:
        answer = as_olga.get(reverse("kmp:inventory_file"))
        rows = list(csv.DictReader(StringIO(answer.getvalue().decode().lstrip("\ufeff"))))
        return rows[0]["Status"], answer["Content-Disposition"]

    assert file() == ("Active", f'attachment; filename="certificates-{timezone.now():%Y-%m-%d}.csv"')
    move_clock(acme, OVER)
    assert file() == ("Expired", f'attachment; filename="certificates-{timezone.now() + OVER:%Y-%m-%d}.csv"')


def test_the_life_and_the_line_of_versions_go_on_with_it(as_olga: Client, acme: Company, entry: InventoryEntry) -> None:
    address = ADDRESSES["details"](entry)
    context = as_olga.get(address).context
    assert (context["percent_over"], round(context["versions"].today)) == (0, 0)
    move_clock(acme, SOON)
    context = as_olga.get(address).context
    assert 94 <= context["percent_over"] <= 98
    assert 94 <= context["versions"].today <= 98
    assert context["versions"].versions[0].status == "expiring_soon"


def test_who_renews_is_told_that_it_has_expired_by_it(as_olga: Client, acme: Company, entry: InventoryEntry) -> None:
    address = reverse("kmp:entry_renew", args=[entry.reference])
    assert "Expires on" in text_of(as_olga.get(address))
    move_clock(acme, OVER)
    text = text_of(as_olga.get(address))
    assert "Expired on" in text
    assert "it can still be renewed" in text


def test_the_review_of_a_renewal_tells_it(as_olga: Client, olga: User, acme: Company, entry: InventoryEntry) -> None:
    draft = make_renewal(olga, entry)
    address = reverse("kmp:request_review", args=[draft.number])
    assert "Expires on" in text_of(as_olga.get(address))
    move_clock(acme, OVER)
    assert "Expired on" in text_of(as_olga.get(address))


def test_a_twin_that_has_expired_by_it_is_said_to_hold_its_subject(olga: User, acme: Company) -> None:
    twin = make_entry(acme, unique="1790000000")
    draft = make_draft(olga, csr=make_kmp_csr(rules_for(acme), unique="1790000000"))

    def found() -> str:
        judged = judge(draft, now=timezone.now())
        return next(verdict.found for verdict in judged.verdicts if verdict.id == "dn.duplicate")

    assert f"{twin.reference}, which has this subject, is live" in found()
    draft.company = move_clock(acme, OVER)
    assert f"{twin.reference}, which has this subject, has expired, but holds this subject" in found()


@PAGES
def test_no_page_asks_the_database_more_where_the_clock_is_ahead(
    as_olga: Client, acme: Company, entry: InventoryEntry, page: str
) -> None:
    make_many_entries(acme, 20)
    address = ADDRESSES[page](entry)
    as_olga.get(address)
    with CaptureQueriesContext(connection) as in_real_time:
        as_olga.get(address)
    move_clock(acme, timedelta(days=1))
    with CaptureQueriesContext(connection) as ahead:
        as_olga.get(address)
    assert len(ahead) == len(in_real_time)
