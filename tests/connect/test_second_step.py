"""Signing in with a second step: what it asks, what it counts, and what it gives away."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect import second_factors
from connect.models import Notice, User
from tests.connect.second_factor_steps import (
    LOGIN,
    SECURITY,
    STEP,
    app_code,
    give_app,
    give_code,
    give_password,
    is_signed_in,
    wrong_code,
)
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    """Somebody with an authenticator app; only what happens afterwards is in the audit log's tail."""
    user = make_user(name="Alice Marlow")
    give_app(user)
    return user


def actions() -> list[str]:
    setting_up = {"account.two_factor_added", "account.recovery_codes_made"}
    return [event.action for event in AuditEvent.objects.order_by("id") if event.action not in setting_up]


def test_password_and_code_sign_in(client: Client, user: User) -> None:
    assert give_password(client, user) == STEP
    assert not is_signed_in(client)
    assert actions() == []
    page = client.get(STEP).content.decode()
    assert "Second step" in page
    assert "From your authenticator app, or one of your recovery codes." in page
    assert give_code(client, app_code()) == reverse("portal:projects")
    assert is_signed_in(client)
    assert actions() == ["account.signed_in"]
    app = second_factors.factors_of(user).app
    assert app is not None
    assert app.last_used_at is not None


def test_a_recovery_code_signs_in(client: Client, user: User) -> None:
    give_password(client, user)
    assert give_code(client, second_factors.recovery_codes_of(user)[0]) != ""
    assert is_signed_in(client)
    assert actions() == ["account.recovery_code_used", "account.signed_in"]
    assert AuditEvent.objects.get(action="account.recovery_code_used").actor == user.email


def test_it_leads_to_the_page_that_asked_for_sign_in(client: Client, user: User) -> None:
    give_password(client, user, next="/accounts/password/")
    assert give_code(client, app_code()) == "/accounts/password/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_it_never_leads_to_another_site(client: Client, user: User, target: str) -> None:
    give_password(client, user, next=target)
    assert give_code(client, app_code()) == reverse("portal:projects")


def test_between_the_steps_nothing_opens(client: Client, user: User) -> None:
    give_password(client, user)
    for page in ("/projects/", SECURITY, "/accounts/security/app/", "/accounts/confirm/"):
        assert LOGIN in client.get(page).headers["Location"]
    assert client.get(LOGIN).headers["Location"] == STEP


def test_without_the_first_step_there_is_no_second(client: Client, user: User) -> None:
    for response in (client.get(STEP), client.post(STEP, {"code": app_code()})):
        assert response.headers["Location"] == LOGIN
    assert not is_signed_in(client)


def test_the_first_step_is_forgotten_after_a_quarter_of_an_hour(client: Client, user: User) -> None:
    give_password(client, user)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert give_code(client, app_code()) == LOGIN
    assert not is_signed_in(client)


def test_the_session_gets_a_new_key_at_each_step(client: Client, user: User) -> None:
    session = client.session
    session["planted"] = "1"
    session.save()
    keys = [session.session_key]
    give_password(client, user)
    keys.append(client.session.session_key)
    give_code(client, app_code())
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3
    planted = Client()
    for key in keys[:2]:
        planted.cookies[settings.SESSION_COOKIE_NAME] = str(key)
        assert planted.get(STEP).headers["Location"] == LOGIN


def test_one_may_go_back_and_sign_in_as_somebody_else(client: Client, user: User) -> None:
    give_password(client, user)
    assert client.post(STEP, {"cancel": "1"}).headers["Location"] == LOGIN
    assert client.get(LOGIN).status_code == 200
    assert give_code(client, app_code()) == LOGIN
    assert give_password(client, make_user()) == reverse("portal:projects")


def test_a_form_without_its_token_is_refused(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(STEP, {"code": app_code()}).status_code == 403


def test_ten_wrong_codes_lock_whoever_knows_the_password(client: Client, user: User) -> None:
    give_password(client, user)
    pages = [client.post(STEP, {"code": wrong_code()}).content.decode() for _ in range(10)]
    assert ["is locked until" in page for page in pages] == [False] * 9 + [True]
    assert all("This code is not right, or was used before." in page for page in pages[:9])
    assert give_code(client, app_code()) == ""
    assert give_code(client, second_factors.recovery_codes_of(user)[0]) == ""
    assert give_password(Client(), user) == ""
    assert not is_signed_in(client)
    assert actions() == ["account.locked"]
    notice = Notice.objects.get(kind="account.second-step-locked", channel="mail")
    assert (notice.address, "somebody knows your password" in notice.text) == (user.email, True)


def test_the_right_password_does_not_forget_wrong_codes(user: User) -> None:
    """Else ten codes could be tried after each password, for ever."""
    for _ in range(3):
        client = Client()
        assert give_password(client, user) == STEP
        for _ in range(3):
            assert give_code(client, wrong_code()) == ""
    client = Client()
    assert give_password(client, user) == STEP
    assert "is locked until" in client.post(STEP, {"code": wrong_code()}).content.decode()


def test_right_passwords_alone_lock_nobody_out(user: User) -> None:
    for _ in range(15):
        assert give_password(Client(), user) == STEP


def test_wrong_passwords_and_wrong_codes_count_together(client: Client, user: User) -> None:
    for _ in range(5):
        client.post(LOGIN, {"login": user.email, "password": "wrong"})
    give_password(client, user)
    for _ in range(4):
        give_code(client, wrong_code())
    assert "is locked until" in client.post(STEP, {"code": wrong_code()}).content.decode()


def test_a_sign_in_forgets_the_failures_before_it(user: User) -> None:
    for step in (0, 1):
        client = Client()
        give_password(client, user)
        for _ in range(9):
            give_code(client, wrong_code())
        assert give_code(client, app_code(steps=step)) != ""


def test_a_lock_answers_right_and_wrong_passwords_alike(client: Client, user: User) -> None:
    give_password(client, user)
    for _ in range(10):
        give_code(client, wrong_code())
    pages = [
        Client().post(LOGIN, {"login": user.email, "password": password}).content.decode()
        for password in (PASSWORD, "wrong")
    ]
    assert all("is locked until" in page for page in pages)


def test_factors_that_staff_have_removed_are_not_asked_for(client: Client, user: User) -> None:
    give_password(client, user)
    staff = make_user(is_staff=True)
    second_factors.remove_all(user, by=staff, actor=Actor(staff.email), now=timezone.now())
    assert client.get(STEP).headers["Location"] == LOGIN
    assert client.get(LOGIN).status_code == 200
    assert give_password(client, user) == reverse("portal:projects")


def test_an_account_that_is_closed_between_the_steps_is_not_let_in(client: Client, user: User) -> None:
    give_password(client, user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert give_code(client, app_code()) == LOGIN
    assert not is_signed_in(client)
    assert actions() == []


def test_the_admin_is_behind_the_same_second_step(client: Client) -> None:
    staff = make_user(is_staff=True, is_superuser=True)
    give_app(staff)
    asked = client.get("/admin/", follow=True).request["PATH_INFO"]
    assert asked == LOGIN
    assert (
        client.post(asked, {"login": staff.email, "password": PASSWORD, "next": "/admin/"}).headers["Location"] == STEP
    )
    assert client.get("/admin/").status_code == 302
    assert give_code(client, app_code()) == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "code", ["", " ", "0" * 33, "0" * 5000, "12 34 56", "\x00", "é", "１２３４５６", "' OR 1=1 --"]
)
def test_odd_codes_are_refused_with_a_sentence(client: Client, user: User, code: str) -> None:
    give_password(client, user)
    response = client.post(STEP, {"code": code})
    assert response.status_code == 200
    assert 'class="error"' in response.content.decode()


@pytest.mark.parametrize("field", ["credential", "password"])
def test_a_way_that_the_person_does_not_have_is_no_way(client: Client, user: User, field: str) -> None:
    give_password(client, user)
    assert client.post(STEP, {field: PASSWORD}).status_code == 200
    assert not is_signed_in(client)
