"""Where somebody is signed in, and how it ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from connect.browsers import browser_in_words
from connect.models import User
from tests.connect.second_factor_steps import give_password
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

SESSIONS = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def user() -> User:
    return make_user()


def browser(user: User, agent: str = FIREFOX, address: str = "192.0.2.7") -> Client:
    """A browser in which this person has signed in."""
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    give_password(client, user)
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/password/").status_code == 200


def test_the_page_lists_browser_address_and_times(user: User) -> None:
    here = browser(user)
    browser(user, SAFARI, "2001:db8::1")
    browser(make_user(), address="198.51.100.9")
    page = here.get(SESSIONS).content.decode()
    for shown in ("Firefox on Linux", "192.0.2.7", "Safari on iPhone", "2001:db8::1", "This one", "Now"):
        assert shown in page
    assert "198.51.100.9" not in page
    assert page.index("Firefox on Linux") < page.index("Safari on iPhone")


def test_sign_out_everywhere_else_ends_the_others_and_keeps_this_one(user: User) -> None:
    here, elsewhere, at_home, stranger = browser(user), browser(user), browser(user), browser(make_user())
    assert here.post(SESSIONS).headers["Location"] == SESSIONS
    page = here.get(SESSIONS).content.decode()
    assert "2 other sessions have ended." in page
    assert "Sign out everywhere else" not in page
    assert [is_in(client) for client in (here, elsewhere, at_home, stranger)] == [True, False, False, True]
    assert Session.objects.filter(session_key=elsewhere.cookies["sessionid"].value).count() == 0
    event = AuditEvent.objects.get(action="account.signed_out_elsewhere")
    assert (event.actor, event.object_label, event.after) == (user.email, user.email, {"sessions": 2})


def test_with_no_other_session_nothing_is_recorded(user: User) -> None:
    here = browser(user)
    here.post(SESSIONS)
    assert "You are signed in nowhere else." in here.get(SESSIONS).content.decode()
    assert not AuditEvent.objects.filter(action="account.signed_out_elsewhere").exists()


def test_it_takes_a_post_with_its_token(user: User) -> None:
    here, elsewhere = browser(user), browser(user)
    here.get(SESSIONS)
    assert is_in(elsewhere)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = here.cookies
    assert strict.post(SESSIONS).status_code == 403
    assert is_in(elsewhere)


def test_a_request_that_is_under_way_cannot_revive_its_session(user: User) -> None:
    here, elsewhere = browser(user), browser(user)
    session = elsewhere.session
    session["late"] = "1"
    here.post(SESSIONS)
    with pytest.raises(UpdateError):
        session.save()
    assert not is_in(elsewhere)


def test_signing_out_takes_the_session_off_the_list(user: User) -> None:
    here, elsewhere = browser(user), browser(user, SAFARI)
    elsewhere.post("/accounts/logout/")
    assert "Safari" not in here.get(SESSIONS).content.decode()


def test_a_changed_password_ends_the_others_on_the_list_too(user: User) -> None:
    here, elsewhere = browser(user), browser(user, SAFARI)
    new = "another battery of horses"
    here.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    page = here.get(SESSIONS).content.decode()
    assert "Safari" not in page
    assert "Firefox" in page
    assert not is_in(elsewhere)


def test_sessions_that_ended_by_themselves_are_not_listed(user: User) -> None:
    browser(user, SAFARI)
    with time_machine.travel(timezone.now() + timedelta(hours=12, minutes=1)):
        here = browser(user)
        assert "Safari" not in here.get(SESSIONS).content.decode()


def test_last_seen_is_noted_once_in_five_minutes(user: User) -> None:
    here = browser(user)
    row = UserSession.objects.get(user=user)
    cache.clear()
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    here.get(SESSIONS)
    row.refresh_from_db()
    assert timezone.now() - row.last_seen_at < timedelta(minutes=1)
    with CaptureQueriesContext(connection) as queries:
        here.get(SESSIONS)
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]


def test_the_list_costs_the_same_for_one_session_and_for_many(user: User) -> None:
    here, counts = browser(user), []
    here.get(SESSIONS)
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            here.get(SESSIONS)
        counts.append(len(queries))
        for _ in range(5):
            browser(user)
    assert counts[0] == counts[1]


def test_without_redis_pages_open_and_the_last_use_is_not_noted(
    user: User, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = browser(user)
    cache.clear()
    location = f"unix://{tmp_path}/nobody.sock?db=0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}
    assert is_in(here)
    assert "the last use of a session was not noted: ConnectionError" in caplog.text


def test_a_hostile_user_agent_is_shown_escaped_and_cut(user: User) -> None:
    here = browser(user, "<script>alert(1)</script>" + "x" * 5000)
    page = here.get(SESSIONS).content.decode()
    assert "<script>alert" not in page
    assert "Unknown browser" in page


def test_a_request_through_a_socket_has_no_address(user: User) -> None:
    assert "unknown" in browser(user, address="").get(SESSIONS).content.decode()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0 Safari/537.36", "Chrome on macOS"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_named_as_people_know_them(agent: str, words: str) -> None:
    assert browser_in_words(agent) == words


def test_signing_in_costs_the_same_however_many_sessions_there_are(user: User) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            browser(user)
        counts.append(len(queries))
        for _ in range(5):
            browser(user)
    assert counts[0] == counts[1]


def test_of_very_many_sessions_the_last_seen_are_listed_and_all_are_ended(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connect.sessions.LISTED", 2)
    here = browser(user)
    for _ in range(4):
        browser(user, SAFARI)
    page = here.get(SESSIONS).content.decode()
    assert page.count("Safari on iPhone") == 2
    assert "Of 4 other sessions, those last seen are listed." in page
    here.post(SESSIONS)
    assert "4 other sessions have ended." in here.get(SESSIONS).content.decode()
    assert UserSession.objects.filter(user=user).count() == 1


def test_rows_of_sessions_that_ended_are_forgotten_at_the_next_sign_in(user: User) -> None:
    browser(user, SAFARI)
    with time_machine.travel(timezone.now() + timedelta(hours=12, minutes=1)):
        browser(user)
    assert UserSession.objects.filter(user=user).count() == 1
