"""The picture on the company's page: of its certificates those that the viewer may see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from certauthority.models import Authority
from connect.expiry.drawn import timeline_of_company
from connect.models import Company, User
from portal.models import Membership, Role
from tests.connect.factories import make_security_administrator, move_clock
from tests.factories import (
    make_company,
    make_credential,
    make_many_credentials,
    make_project,
    make_user,
)
from tests.kmp.factories import let_entry_expire, make_chain, make_entry, make_many_entries, make_officer
from tests.page_text import text_of

PAGES = ("connect:company", "kmp:company")


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme Payments Ltd", group_email="certificates@acme.example")


def names(company: Company, user: User) -> list[str]:
    return [bar.lifetime.name for bar in timeline_of_company(company, user=user, now=timezone.now()).bars]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_each_sees_what_is_theirs(acme: Company) -> None:
    admin, officer = make_user(company=acme), make_officer(acme)
    entry = make_entry(acme)
    make_credential(make_project(admin=admin), alias="payouts")
    assert names(acme, admin) == ["payouts"]
    assert names(acme, officer) == [entry.reference]
    assert names(acme, make_security_administrator(acme)) == []
    make_credential(make_project(admin=officer), alias="batch")
    assert sorted(names(acme, officer)) == sorted([entry.reference, "batch"])


def test_projects_of_another_company_are_on_its_own_page(acme: Company) -> None:
    guest = make_user(company=acme)
    foreign = make_project()
    Membership.objects.create(project=foreign, user=guest, role=Role.ADMIN, since=timezone.now())
    make_credential(foreign, alias="foreign")
    assert names(acme, guest) == []


def test_the_certificates_of_another_company_are_not_seen(acme: Company) -> None:
    make_entry(make_company())
    assert names(acme, make_officer(acme)) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_it_in_a_table_as_well(acme: Company, page: str) -> None:
    officer = make_officer(acme)
    client = client_of(officer)
    assert "Fifteen months ahead" not in text_of(client.get(reverse(page)))
    older, newer = make_chain(acme, versions=2)
    let_entry_expire(older, in_days=12)
    text = text_of(client.get(reverse(page)))
    assert "Fifteen months ahead" in text
    assert f"{older.reference} and {newer.reference} overlap from" in text
    assert f"12 days left {newer.reference} None" in text, "ends, successor, no gap"
    end = timezone.now() + timedelta(days=5)
    let_entry_expire(make_entry(acme), in_days=5)
    assert f"5 days left None From {end:%-d %b %Y}" in text_of(client.get(reverse(page)))


def test_the_page_follows_the_companys_clock(acme: Company) -> None:
    officer = make_officer(acme)
    entry = make_entry(acme)
    let_entry_expire(entry, in_days=50)
    client = client_of(officer)
    assert "50 days left None From" in text_of(client.get(reverse("kmp:company")))
    move_clock(acme, timedelta(days=52))
    assert "2 days ago None Since" in text_of(client.get(reverse("kmp:company")))


def test_a_long_list_is_cut_and_says_where_all_are(acme: Company) -> None:
    officer = make_officer(acme)
    make_many_entries(acme, 100)
    client = client_of(officer)
    page = client.get(reverse("kmp:company"))
    bars = page.context["timeline"].bars
    assert f"These are the {len(bars)} that expire next. All are listed in Certificates Inventory." in text_of(page)


def test_the_queries_do_not_grow_with_the_certificates(acme: Company) -> None:
    officer = make_officer(acme)
    project = make_project(admin=officer)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as found:
            assert timeline_of_company(acme, user=officer, now=timezone.now()).bars
        return [query["sql"].split("WHERE")[0] for query in found.captured_queries]

    def grow(count: int) -> None:
        make_many_entries(acme, count)
        make_many_credentials(project, count)
        make_many_credentials(project, count, not_after=timezone.now() - timedelta(days=2))

    grow(10)
    few = queries()
    grow(30)
    many = queries()
    # Those that have expired are not asked for where there is no room left for them.
    assert len(many) <= len(few)
    assert set(many) <= set(few)
