"""Second factors are removed and renamed by their owner alone, who confirms first that it is they."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from connect import second_factors
from connect.errors import LastFactor
from connect.models import User
from tests.connect.second_factor_steps import (
    APP,
    CODES,
    CONFIRM,
    SECURITY,
    actions,
    app_code,
    confirm,
    give_app,
    give_code,
    give_password,
    kinds,
    set_up_app,
    wrong_code,
)
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(name="Alice Marlow")


@pytest.fixture
def signed_in(client: Client, user: User) -> Client:
    """A browser whose person has just confirmed that it is they."""
    client.force_login(user)
    confirm(client)
    return client


def test_of_somebody_else_nothing_can_be_removed_or_renamed(signed_in: Client) -> None:
    other = make_user()
    give_app(other)
    row = Authenticator.objects.create(user=other, type="webauthn", data={"name": "Key", "credential": {}})
    for key in (Authenticator.objects.get(user=other, type="totp").pk, row.pk, 2**70):
        assert signed_in.post(f"/accounts/security/remove/{key}/").status_code == 404
        assert signed_in.post(f"/accounts/security/passkey/{key}/", {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.filter(user=other).count() == 3


def test_removing_the_last_factor_turns_it_off_and_ends_the_other_sessions(signed_in: Client, user: User) -> None:
    set_up_app(signed_in)
    elsewhere = Client()
    give_password(elsewhere, user)
    assert give_code(elsewhere, second_factors.recovery_codes_of(user)[0]) != ""
    row = second_factors.factors_of(user).app
    assert row is not None
    page = signed_in.get(f"/accounts/security/remove/{row.pk}/").content.decode()
    assert "Two-factor sign-in ends" in page
    assert signed_in.post(f"/accounts/security/remove/{row.pk}/").headers["Location"] == SECURITY
    assert not Authenticator.objects.filter(user=user).exists()
    assert signed_in.get(SECURITY).status_code == 200
    assert elsewhere.get(SECURITY).status_code == 302
    assert actions()[-1] == "account.two_factor_removed"
    assert kinds()[-1] == "account.two-factor-removed"
    assert signed_in.post(f"/accounts/security/remove/{row.pk}/").status_code == 404


def test_the_first_factor_ends_the_other_sessions(user: User) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        give_password(client, user)
    confirm(here)
    set_up_app(here)
    assert here.get(SECURITY).status_code == 200
    assert elsewhere.get(SECURITY).status_code == 302


def test_who_needs_a_factor_cannot_remove_the_last(signed_in: Client, user: User, settings: Settings) -> None:
    settings.TWO_FACTOR_REQUIRED = True
    User.objects.filter(pk=user.pk).update(is_security_administrator=True)
    set_up_app(signed_in)
    row = second_factors.factors_of(user).app
    assert row is not None
    assert (
        "This is your only second factor, so it stays."
        in signed_in.get(f"/accounts/security/remove/{row.pk}/").content.decode()
    )
    signed_in.post(f"/accounts/security/remove/{row.pk}/")
    assert "So two-factor sign-in stays on." in signed_in.get(SECURITY).content.decode()
    assert second_factors.has_second_factor(user)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_two_removals_at_once_leave_one_factor_to_who_needs_it(user: User, settings: Settings) -> None:
    settings.TWO_FACTOR_REQUIRED = True
    user.is_staff = True
    user.save()
    rows = [
        Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": {}})
        for name in ("One", "Two")
    ]
    start, refused = threading.Barrier(2), []

    def take_away(row: Authenticator) -> None:
        start.wait()
        try:
            second_factors.remove(user, row, keep=None, actor=Actor("x"), now=timezone.now())
        except LastFactor:
            refused.append(row)
        connection.close()

    threads = [threading.Thread(target=take_away, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert Authenticator.objects.get(user=user) == refused[0]


def test_a_passkey_is_renamed(signed_in: Client, user: User) -> None:
    row = Authenticator.objects.create(user=user, type="webauthn", data={"name": "Old", "credential": {}})
    url = f"/accounts/security/passkey/{row.pk}/"
    for bad in ("", "x" * 81, "a\u202eb"):
        assert signed_in.post(url, {"name": bad}).status_code == 200
    assert signed_in.post(url, {"name": "<b>Laptop</b>"}).headers["Location"] == SECURITY
    assert "&lt;b&gt;Laptop&lt;/b&gt;" in signed_in.get(SECURITY).content.decode()
    assert actions() == ["account.passkey_renamed"]


def test_changes_ask_first_that_it_is_the_person(client: Client, user: User) -> None:
    client.force_login(user)
    pages = [APP, "/accounts/security/passkey/", CODES, "/accounts/security/remove/1/", "/accounts/security/passkey/1/"]
    for page in pages:
        assert client.get(page).headers["Location"] == f"{CONFIRM}?next={page.replace('/', '%2F')}"
        assert client.post(page, {"code": "1", "name": "x", "do": "make"}).headers["Location"].startswith(CONFIRM)
    assert "Nothing was changed." in client.get(CONFIRM).content.decode()
    assert client.post(f"{CONFIRM}?next={APP}", {"password": PASSWORD, "next": APP}).headers["Location"] == APP
    assert client.get(APP).status_code == 200


def test_confirming_holds_for_five_minutes(signed_in: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=4, seconds=50)):
        assert signed_in.get(APP).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert signed_in.get(APP).status_code == 302


def test_signing_in_is_not_yet_confirming(client: Client, user: User) -> None:
    give_password(client, user)
    assert client.get(APP).headers["Location"].startswith(CONFIRM)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_confirming_leads_to_this_site_only(client: Client, user: User, target: str) -> None:
    client.force_login(user)
    assert "evil" not in client.get(CONFIRM, {"next": target}).content.decode()
    assert client.post(CONFIRM, {"password": PASSWORD, "next": target}).headers["Location"] == SECURITY


def test_confirming_works_by_code_and_wrong_answers_count(client: Client, user: User) -> None:
    give_app(user)
    client.force_login(user)
    assert client.post(CONFIRM, {"code": app_code()}).headers["Location"] == SECURITY
    for _ in range(9):
        client.post(CONFIRM, {"password": "wrong"})
    assert "is locked until" in client.post(CONFIRM, {"code": wrong_code()}).content.decode()
    assert "is locked until" in client.post(CONFIRM, {"password": PASSWORD}).content.decode()


def test_who_lost_the_secret_key_is_not_let_in_and_sees_no_error(
    user: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    give_app(user)
    codes = second_factors.recovery_codes_of(user)
    settings.SECRET_KEY = "y" * 50
    client = Client()
    assert give_password(client, user) == "/accounts/second-step/"
    for code in (app_code(), codes[0]):
        assert give_code(client, code) == ""
    assert second_factors.recovery_codes_of(user) == []
    assert "Was SECRET_KEY changed?" in caplog.text
