"""A session ends when nothing is done for an hour, and twelve hours after sign-in in any case; by real time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.conf import settings as site_settings
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from connect.models import User
from connect.sessions import sessions_of
from tests.connect.clock_steps import moved
from tests.connect.second_factor_steps import give_password
from tests.factories import make_company, make_user

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAGE = "/accounts/password/"
BY_ITSELF = {"X-By-Itself": "1"}
HTMX = {"HX-Request": "true"}
SENTENCE = (
    "Your session has ended. It does after 60 minutes in which nothing is done, and after 12 hours in any case. "
    "Sign in to go on where you were."
)


@pytest.fixture
def user() -> User:
    return make_user(company=make_company())


@pytest.fixture
def real_time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def browser(user: User, real_time: time_machine.Traveller) -> Client:
    client = Client()
    give_password(client, user)
    return client


def after(real_time: time_machine.Traveller, **since_start: int) -> None:
    real_time.move_to(START + timedelta(**since_start))


def is_in(client: Client, headers: dict[str, str] | None = None) -> bool:
    return client.get(PAGE, headers=headers or {}).status_code == 200


def test_an_hour_without_anything_ends_it(browser: Client, real_time: time_machine.Traveller) -> None:
    after(real_time, minutes=59)
    assert is_in(browser)
    after(real_time, minutes=59 + 60)
    assert not is_in(browser)
    after(real_time, minutes=59 + 61)
    assert not is_in(browser), "it does not come back"


def test_who_works_on_stays_until_twelve_hours_are_over(browser: Client, real_time: time_machine.Traveller) -> None:
    for minutes in range(0, 12 * 60, 40):
        after(real_time, minutes=minutes)
        assert is_in(browser), minutes
    after(real_time, hours=12)
    assert not is_in(browser)


def test_saving_the_session_again_does_not_make_it_longer(browser: Client, real_time: time_machine.Traveller) -> None:
    for hours in (0.9, 1.8, 2.7, 3.6, 4.5, 5.4, 6.3, 7.2, 8.1, 9.0, 9.9, 10.8, 11.7):
        real_time.move_to(START + timedelta(hours=hours))
        session = browser.session
        session["something"] = hours
        session.save()
    assert is_in(browser)
    after(real_time, hours=12)
    assert not is_in(browser)


def test_what_a_page_asks_by_itself_keeps_nothing_open(browser: Client, real_time: time_machine.Traveller) -> None:
    for minutes in range(0, 60, 5):
        after(real_time, minutes=minutes)
        assert is_in(browser, BY_ITSELF)
    after(real_time, minutes=60)
    assert not is_in(browser, BY_ITSELF)


def test_it_is_no_last_use_either(browser: Client, user: User, real_time: time_machine.Traveller) -> None:
    after(real_time, minutes=20)
    cache.clear()
    assert is_in(browser, BY_ITSELF)
    assert UserSession.objects.get(user=user).last_seen_at == START
    assert is_in(browser)
    assert UserSession.objects.get(user=user).last_seen_at == START + timedelta(minutes=20)


def test_a_session_that_such_a_request_saves_ends_when_it_would_have(
    browser: Client, real_time: time_machine.Traveller
) -> None:
    after(real_time, minutes=30)
    store = import_module(site_settings.SESSION_ENGINE).SessionStore(browser.session.session_key)
    store.is_passive = True
    store["something"] = 1
    store.save()
    assert Session.objects.get(pk=store.session_key).expire_date == START + timedelta(minutes=60)


def test_pages_write_the_end_at_most_once_in_five_minutes(browser: Client, real_time: time_machine.Traveller) -> None:
    after(real_time, minutes=10)
    assert is_in(browser)
    for minutes, writes in ((11, 0), (14, 0), (15, 1), (16, 0)):
        after(real_time, minutes=minutes)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert is_in(browser)
        written = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "django_session"')]
        assert len(written) == writes, minutes


def test_looking_costs_no_query_more(browser: Client) -> None:
    assert is_in(browser)
    with CaptureQueriesContext(connection) as queries:
        assert is_in(browser)
    assert sum("django_session" in query["sql"] for query in queries) == 1


def test_an_ended_one_is_not_in_the_list(browser: Client, user: User, real_time: time_machine.Traveller) -> None:
    after(real_time, minutes=61)
    assert sessions_of(user, current=None, now=timezone.now()) == []


def test_sign_in_says_why_and_leads_back(browser: Client, user: User, real_time: time_machine.Traveller) -> None:
    after(real_time, minutes=60)
    response = browser.get(f"{PAGE}?a=b")
    target = urlsplit(response.headers["Location"])
    assert (target.path, parse_qs(target.query)["next"]) == ("/accounts/login/", [f"{PAGE}?a=b"])
    page = browser.get(response.headers["Location"]).content.decode()
    assert "Your session has ended." in page
    assert "It does after 60 minutes in which nothing is done" in page
    give_password(browser, user)
    assert is_in(browser)
    assert "Your session has ended" not in browser.get(PAGE).content.decode()


def test_htmx_leads_to_sign_in_which_says_why(browser: Client, real_time: time_machine.Traveller) -> None:
    after(real_time, minutes=60)
    headers = {**HTMX, **BY_ITSELF, "HX-Current-URL": f"http://testserver{PAGE}"}
    response = browser.get("/projects/", headers=headers)
    assert response.headers["HX-Redirect"] == f"/accounts/login/?next={PAGE}"
    assert [str(message) for message in get_messages(response.wsgi_request)] == [SENTENCE]


def test_nobody_else_is_told_of_an_end(user: User, real_time: time_machine.Traveller) -> None:
    stranger = Client()
    stranger.cookies[site_settings.SESSION_COOKIE_NAME] = "0123456789abcdefghijklmnopqrstuv"
    for client in (Client(), stranger):
        page = client.get(PAGE, follow=True).content.decode()
        assert "Your session has ended" not in page


def test_who_signed_out_is_not_told_of_an_end(browser: Client) -> None:
    browser.post("/accounts/logout/")
    assert "Your session has ended" not in browser.get(PAGE, follow=True).content.decode()


def test_the_setting_counts(browser: Client, settings: Settings, real_time: time_machine.Traveller) -> None:
    settings.SESSION_IDLE_SECONDS = 15 * 60
    after(real_time, minutes=10)
    assert is_in(browser), "from its next page on"
    after(real_time, minutes=24)
    assert is_in(browser)
    after(real_time, minutes=39)
    response = browser.get(PAGE, follow=True)
    assert "after 15 minutes in which nothing is done" in response.content.decode()


def test_the_company_s_clock_makes_no_difference(
    browser: Client, user: User, real_time: time_machine.Traveller
) -> None:
    assert user.company is not None
    moved(user.company, make_user(is_staff=True), days=90, now=START)
    after(real_time, minutes=59)
    assert is_in(browser)


def test_a_session_of_an_older_release_gets_no_longer(user: User, real_time: time_machine.Traveller) -> None:
    client = Client()
    client.force_login(user)
    session = client.session
    del session["began_at"]
    session.save()
    Session.objects.update(expire_date=START + timedelta(minutes=90))
    after(real_time, minutes=50)
    assert is_in(client)
    after(real_time, minutes=89)
    assert is_in(client), "nor shorter"
    after(real_time, minutes=90)
    assert not is_in(client)


def test_a_session_that_was_ended_meanwhile_is_not_revived(browser: Client, real_time: time_machine.Traveller) -> None:
    after(real_time, minutes=30)
    store = import_module(site_settings.SESSION_ENGINE).SessionStore(browser.session.session_key)
    store.load()
    Session.objects.all().delete()
    store.move_end(now=timezone.now())
    assert not Session.objects.exists()
