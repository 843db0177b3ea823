"""The line about the clock on every page, and the staff's list of all clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connect.clock import company_time
from connect.models import Company, User
from connect.templatetags.clock import ahead_words, until_words, utc_clock
from tests.connect.conftest import SignIn
from tests.connect.factories import make_staff, move_clock
from tests.factories import make_company, make_user
from tests.page_text import text_of

CLOCK = "/connect/clock/"
NOON = datetime(2031, 3, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(days=45), "45 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=2, hours=11, minutes=59), "2 days"),
        (timedelta(days=2, hours=12), "3 days"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(seconds=59), "less than a minute"),
    ],
    ids=str,
)
def test_how_far_ahead_in_words(ahead: timedelta, words: str) -> None:
    assert ahead_words(ahead, NOON) == words


def test_days_to_come_and_the_time_of_day_in_words() -> None:
    assert [until_words(days) for days in (0, 1, 2)] == ["today", "tomorrow", "in 2 days"]
    assert utc_clock(datetime(2031, 3, 30, 1, 5, tzinfo=UTC)) == "01:05 UTC"


class TestTheBanner:
    def test_it_tells_both_times_on_every_page(self, acme: Company, dora: User, sign_in: SignIn) -> None:
        client = sign_in(dora)
        for url in ("/projects/", "/connect/store/", "/connect/company/", "/connect/clock/"):
            assert "Your company’s clock is" not in text_of(client.get(url))
        move_clock(acme, timedelta(days=400))
        now = timezone.now()
        for url in ("/projects/", "/connect/store/", "/connect/company/", "/connect/clock/"):
            words = text_of(client.get(url))
            assert "Your company’s clock is 400 days ahead" in words
            assert f"it shows {company_time(acme, now):%-d %b %Y}, " in words
            assert f"Real time is {now:%-d %b %Y}, " in words

    def test_other_companies_and_those_of_none_see_nothing(self, acme: Company, sign_in: SignIn) -> None:
        move_clock(acme, timedelta(days=400))
        for user in (make_user(), make_user(company=None), make_staff()):
            assert "Your company’s clock is" not in text_of(sign_in(user).get("/connect/store/"))
        assert "clock is" not in text_of(Client().get("/accounts/login/"))

    def test_it_costs_no_query_with_or_without_a_jump(self, acme: Company, dora: User, sign_in: SignIn) -> None:
        client, counts = sign_in(dora), []
        client.get("/connect/store/")
        for days in (0, 5):
            if days:
                move_clock(acme, timedelta(days=days))
            with CaptureQueriesContext(connection) as asked:
                page = client.get("/connect/store/")
            assert ("5 days ahead" in text_of(page)) == bool(days)
            counts.append(len(asked))
        assert counts[0] == counts[1]

    def test_staff_of_a_company_are_led_to_its_own_clock(self, acme: Company, sign_in: SignIn) -> None:
        move_clock(acme, timedelta(days=5))
        page = sign_in(make_user(company=acme, is_staff=True)).get("/connect/store/").content.decode()
        assert f'href="{CLOCK}{acme.pk}/"' in page


class TestTheMenu:
    def test_it_leads_to_the_clock(self, dora: User, kim: User, sign_in: SignIn) -> None:
        assert f'href="{CLOCK}"' in sign_in(dora).get("/connect/store/").content.decode()
        assert "Company clocks" in text_of(sign_in(kim).get("/connect/store/"))
        assert f'href="{CLOCK}"' not in sign_in(make_user(company=None)).get("/connect/store/").content.decode()


class TestTheListOfStaff:
    @pytest.fixture
    def as_kim(self, kim: User, sign_in: SignIn) -> Client:
        return sign_in(kim)

    def names(self, client: Client, query: str = "") -> list[str]:
        return [company.name for company, _, _ in client.get(f"{CLOCK}{query}").context["rows"]]

    def test_each_company_with_what_its_clock_shows(self, as_kim: Client, acme: Company) -> None:
        globex = move_clock(make_company(name="Globex Bank", cid="7654321"), timedelta(days=45))
        page = as_kim.get(CLOCK)
        words = text_of(page)
        assert self.names(as_kim) == ["Acme Payments Ltd", "Globex Bank"]
        assert "45 days ahead" in words
        assert "Real time" in words
        assert f"{company_time(globex, timezone.now()):%-d %b %Y}" in words
        for company in (acme, globex):
            assert f'href="{CLOCK}{company.pk}/"' in page.content.decode()

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("?q=glob", ["Globex Bank"]),
            ("?q=7654321", ["Globex Bank"]),
            ("?q=765432", []),
            ("?q=%25", []),
            ("?show=ahead", ["Globex Bank"]),
            ("?show=ahead&q=acme", []),
            ("?show=nonsense", ["Acme Payments Ltd", "Globex Bank"]),
            ("?page=99", ["Acme Payments Ltd", "Globex Bank"]),
        ],
        ids=["part of a name", "a CID", "part of a CID", "a wildcard", "ahead", "both", "no filter", "no such page"],
    )
    def test_search_and_filter(self, as_kim: Client, acme: Company, query: str, names: list[str]) -> None:
        move_clock(make_company(name="Globex Bank", cid="7654321"), timedelta(days=45))
        assert self.names(as_kim, query) == names

    def test_what_cannot_be_searched_for_is_said(self, as_kim: Client) -> None:
        page = as_kim.get(f"{CLOCK}?q={'x' * 65}")
        assert page.status_code == 200
        assert "Nothing was searched for." in text_of(page)

    def test_pages_keep_the_search(self, as_kim: Client) -> None:
        for number in range(26):
            make_company(name=f"Numbered {number:02}")
        page = as_kim.get(f"{CLOCK}?q=numbered")
        assert len(page.context["rows"]) == 25
        assert "Page 1 of 2" in text_of(page)
        assert "q=numbered&amp;page=2" in page.content.decode()
        assert self.names(as_kim, "?q=numbered&page=2") == ["Numbered 25"]

    def test_the_number_of_queries_is_the_same(self, as_kim: Client) -> None:
        counts = []
        for number in range(20):
            move_clock(make_company(name=f"Numbered {number:02}"), timedelta(days=number + 1))
            if number in (1, 19):
                as_kim.get(CLOCK)
                with CaptureQueriesContext(connection) as asked:
                    as_kim.get(CLOCK)
                counts.append(len(asked))
        assert counts[0] == counts[1]
