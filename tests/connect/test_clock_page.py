"""The page ``Clock``: who sees it, what it shows, and what its buttons do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from certauthority.models import Authority
from connect.clock import company_time
from connect.models import ClockJump, Company, User
from portal.models import Credential
from tests.connect.clock_pages import CLOCK, ahead, press, state_on, url_of
from tests.connect.conftest import SignIn
from tests.connect.expiring import end_of
from tests.connect.factories import move_clock
from tests.factories import make_company, make_credential, make_member, make_project, make_user
from tests.kmp.factories import make_officer
from tests.page_text import text_of

DAY = timedelta(days=1)


@pytest.fixture
def alice(acme: Company) -> User:
    return make_user(company=acme, email="alice@acme.example", name="Alice Marlow")


@pytest.fixture
def credential(alice: User, authorities: dict[str, Authority]) -> Credential:
    return make_credential(make_project(admin=alice, name="Checkout API"), alias="payouts")


@pytest.fixture
def as_alice(credential: Credential, alice: User, sign_in: SignIn) -> Client:
    return sign_in(alice)


class TestWhoSeesIt:
    def test_admins_of_projects_and_security_administrators(self, as_alice: Client, sam: User, sign_in: SignIn) -> None:
        for client in (as_alice, sign_in(sam)):
            assert client.get(CLOCK).status_code == 200
            assert sam.company is not None
            assert client.get(url_of(sam.company)).status_code == 200

    def test_colleagues_are_told_who_may(self, credential: Credential, sam: User, dora: User, sign_in: SignIn) -> None:
        reader, officer = make_member(credential.project), make_officer(credential.project.company)
        for user in (dora, reader, officer):
            client = sign_in(user)
            for url in (CLOCK, url_of(credential.project.company), url_of(credential.project.company, "start-over/")):
                page = client.get(url)
                assert page.status_code == 403
                assert "admins of its projects and its Security Administrators (" in text_of(page)
                assert "Sam Whitfield" in text_of(page)
                assert client.post(url, {"step": "day"}).status_code == 403
        assert ahead(credential.project.company) == timedelta(0)

    def test_of_another_company_it_does_not_exist(self, as_alice: Client) -> None:
        globex = make_company()
        for what in ("", "start-over/"):
            for method in (as_alice.get, as_alice.post):
                assert method(url_of(globex, what)).status_code == 404
        assert as_alice.get(f"{CLOCK}00000000-0000-0000-0000-000000000000/").status_code == 404

    def test_who_belongs_to_no_company_is_told(self, db: None, sign_in: SignIn) -> None:
        page = sign_in(make_user(company=None)).get(CLOCK)
        assert page.status_code == 403
        assert "belongs to no company" in text_of(page)

    def test_staff_move_any(self, acme: Company, kim: User, sign_in: SignIn) -> None:
        client = sign_in(kim)
        page = press(client, "day", url=url_of(acme))
        assert page.redirect_chain == [(url_of(acme), 302)]
        assert ahead(acme) == DAY
        assert "Clock of Acme Payments Ltd" in text_of(page)
        assert client.post(CLOCK, {"step": "day"}).status_code == 405


class TestTheButtons:
    def test_days(self, as_alice: Client, acme: Company) -> None:
        page = press(as_alice, "day")
        assert ahead(acme) == DAY
        assert f"The clock of Acme Payments Ltd shows {timezone.now() + DAY:%-d %b %Y}" in text_of(page)
        assert "1 day ahead" in text_of(page)
        press(as_alice, "days")
        assert ahead(acme) == 31 * DAY

    def test_to_the_next_event_until_the_certificate_has_expired(
        self, as_alice: Client, acme: Company, credential: Credential
    ) -> None:
        """Each press meets one threshold, and the last one the end."""
        for number in range(len(site_settings.NOTICE_THRESHOLD_DAYS)):
            page = press(as_alice, "event")
            words = text_of(page)
            if number < len(site_settings.NOTICE_THRESHOLD_DAYS) - 1:
                days = sorted(site_settings.NOTICE_THRESHOLD_DAYS, reverse=True)[number]
                assert [row.notice.threshold for row in page.context["clock"].caused.notices] == [days]
                assert "payouts" in page.context["clock"].caused.notices[0].name
                assert "On its way" in words
        assert [row.name for row in page.context["clock"].caused.expired] == ["payouts"]
        assert "Certificates expired 1" in words
        assert company_time(Company.objects.get(pk=acme.pk), timezone.now()) > end_of(credential)
        listed = as_alice.get(reverse("portal:credentials", args=[credential.project_id, "sandbox"]) + "?show=all")
        assert "Expired" in text_of(listed)

    def test_to_a_date(self, as_alice: Client, acme: Company) -> None:
        day = (timezone.now() + 400 * DAY).date()
        page = press(as_alice, "date", on=day.isoformat())
        assert company_time(Company.objects.get(pk=acme.pk), timezone.now()).date() == day
        assert f"{day:%-d %b %Y}, 00:00 UTC now." in text_of(page)

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("", "Choose the date that the clock is to show."),
            ("tomorrow", "This is not a date. Give it as 2027-01-31."),
            ("31.1.2099", "This is not a date."),
            ("2020-02-29", "A clock only runs forward. Choose"),
            ("9999-12-31", "This is too far ahead. Choose a date until"),
        ],
        ids=["nothing", "a word", "another order", "past", "too far"],
    )
    def test_a_date_that_cannot_be_stays_in_the_box(
        self, as_alice: Client, acme: Company, typed: str, sentence: str
    ) -> None:
        page = press(as_alice, "date", on=typed)
        assert page.status_code == 200
        assert sentence in text_of(page)
        assert page.context["form"]["on"].value() == typed
        assert not typed or f'value="{typed}"' in page.content.decode()
        assert ahead(acme) == timedelta(0)

    def test_today_is_no_date_to_go_to(self, as_alice: Client, acme: Company) -> None:
        move_clock(acme, 10 * DAY)
        today = (timezone.now() + 10 * DAY).date()
        page = press(as_alice, "date", on=today.isoformat())
        assert f"Choose {today + DAY:%-d %B %Y} or later, or start over." in text_of(page)

    def test_five_years_are_the_end(self, as_alice: Client, acme: Company) -> None:
        move_clock(acme, 5 * 365 * DAY)
        page = press(as_alice, "days")
        assert "The clock was not moved." in text_of(page)
        assert "at most 5 years ahead of real time" in text_of(page)
        assert ahead(acme) == 5 * 365 * DAY

    def test_where_nothing_is_coming(self, sam: User, acme: Company, sign_in: SignIn) -> None:
        client = sign_in(sam)
        assert "Nothing is coming" in text_of(client.get(CLOCK))
        assert "Nothing will happen to the certificates of Acme Payments Ltd" in text_of(press(client, "event"))
        assert ahead(acme) == timedelta(0)

    @pytest.mark.parametrize(
        ("sent", "sentence"),
        [
            ({}, "Press one of the buttons."),
            ({"step": "year"}, "The clock cannot be moved in this way."),
            ({"step": "day"}, "Use the buttons of this page."),
            ({"step": "day", "state": "x" * 121}, "Use the buttons of this page."),
            ({"step": "day", "state": "real:0\x00"}, "Null characters are not allowed."),
        ],
        ids=["nothing", "no such step", "no state", "a long state", "NUL"],
    )
    def test_a_form_that_is_not_the_page_s_own_changes_nothing(
        self, as_alice: Client, acme: Company, sent: dict[str, str], sentence: str
    ) -> None:
        page = as_alice.post(CLOCK, sent)
        assert page.status_code == 200
        assert sentence in text_of(page)
        assert ahead(acme) == timedelta(0)
        assert not ClockJump.objects.exists()


class TestSentTwice:
    def test_a_double_click_moves_the_clock_once_and_says_so(self, as_alice: Client, acme: Company) -> None:
        state = state_on(as_alice.get(CLOCK))
        press(as_alice, "day", state=state)
        page = press(as_alice, "day", state=state)
        assert "You have moved the clock already, and it was not moved a second time." in text_of(page)
        assert ahead(acme) == DAY
        assert ClockJump.objects.count() == 1

    def test_the_second_of_two_people_is_told(
        self, as_alice: Client, acme: Company, sam: User, sign_in: SignIn
    ) -> None:
        as_sam = sign_in(sam)
        state = state_on(as_sam.get(CLOCK))
        press(as_alice, "days")
        page = press(as_sam, "event", state=state)
        assert "alice@acme.example moved the clock a moment before you" in text_of(page)
        assert ahead(acme) == 30 * DAY

    def test_each_of_the_page_s_forms_carries_the_state(self, as_alice: Client) -> None:
        page = as_alice.get(CLOCK)
        states = re.findall(r'name="state" value="([^"]*)"', page.content.decode())
        assert states == [state_on(page)] * 2


class TestStartOver:
    def test_it_asks_first_and_says_what_stays(self, as_alice: Client, acme: Company) -> None:
        press(as_alice, "days")
        press(as_alice, "days")
        page = as_alice.get(url_of(acme, "start-over/"))
        for words in (
            "Certificates that were issued while the clock was ahead keep their dates.",
            "do not keep the real ones from coming",
            "60 days ahead",
            "by alice@acme.example, 2 jumps since",
        ):
            assert words in text_of(page)
        assert ahead(acme) == 60 * DAY
        after = as_alice.post(url_of(acme, "start-over/"), {"state": state_on(page)}, follow=True)
        assert ahead(acme) == timedelta(0)
        assert "shows real time again" in text_of(after)
        assert "Since the jump" not in text_of(after)

    def test_sent_twice_it_ends_one_run(self, as_alice: Client, acme: Company) -> None:
        press(as_alice, "days")
        state = state_on(as_alice.get(url_of(acme, "start-over/")))
        for _ in range(2):
            page = as_alice.post(url_of(acme, "start-over/"), {"state": state}, follow=True)
        assert "put back to real time meanwhile" in text_of(page)
        press(as_alice, "day")
        as_alice.post(url_of(acme, "start-over/"), {"state": state}, follow=True)
        assert ahead(acme) == DAY, "an old page does not end a new run"

    def test_without_its_state_nothing_changes(self, as_alice: Client, acme: Company) -> None:
        press(as_alice, "days")
        page = as_alice.post(url_of(acme, "start-over/"), {})
        assert "Use the buttons of this page." in text_of(page)
        assert ahead(acme) == 30 * DAY

    def test_in_real_time_there_is_nothing_to_end(self, as_alice: Client, acme: Company) -> None:
        page = as_alice.get(url_of(acme, "start-over/"))
        assert "The clock shows real time" in text_of(page)
        assert 'name="state"' not in page.content.decode()
        assert "Start over" not in text_of(as_alice.get(CLOCK)).split("Move the clock")[0]


class TestWhatOthersProjectsTell:
    def test_a_reason_names_neither_a_successor_nor_who_snoozed(
        self, as_alice: Client, acme: Company, credential: Credential, sign_in: SignIn
    ) -> None:
        eve = make_user(company=acme, email="eve@acme.example", name="Eve Black")
        project = make_project(admin=eve, name="Ledger")
        replaced, quiet = (make_credential(project, alias=alias) for alias in ("ledger-old", "ledger-quiet"))
        make_credential(project, alias="ledger-new", predecessor=replaced)
        Credential.objects.filter(pk=quiet.pk).update(
            snoozed_until=end_of(quiet).date() - 2 * DAY, snoozed_by="eve@acme.example"
        )
        text = text_of(press(as_alice, "date", on=f"{end_of(replaced).date() - 6 * DAY}"))
        assert "A certificate of another project" in text
        assert "It is snoozed, or another one has replaced it." in text
        assert "It passed while the site was away or the clock was moved." in text
        assert "ledger" not in text.lower()
        assert "eve@acme.example" not in text
        seen = text_of(sign_in(eve).get(CLOCK))
        assert "ledger-new has replaced it, and it has not been used since." in seen
        assert "by eve@acme.example." in seen
