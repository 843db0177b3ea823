"""Second factors: set up, kept, and used once."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect import second_factors
from connect.models import Notice, User
from connect.totp import matching_step
from tests.connect.second_factor_steps import (
    APP,
    CODES,
    CONFIRM,
    SECRET,
    SECURITY,
    actions,
    app_code,
    codes_on,
    confirm,
    give_app,
    give_code,
    give_password,
    kinds,
    secret_on,
    set_up_app,
    wrong_code,
)
from tests.factories import make_user
from tests.hostile.traces import database_dump

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 0, 15, tzinfo=UTC)


@pytest.fixture
def user() -> User:
    return make_user(name="Alice Marlow")


@pytest.fixture
def signed_in(client: Client, user: User) -> Client:
    """A browser whose person has just confirmed that it is they."""
    client.force_login(user)
    confirm(client)
    return client


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_those_of_the_standards_test_vectors(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert matching_step(SECRET, code, after=0, now=now) == seconds // 30


def test_a_phone_may_be_half_a_minute_off_and_no_more() -> None:
    step = int(NOW.timestamp()) // 30
    found = [matching_step(SECRET, app_code(at=NOW, steps=steps), after=0, now=NOW) for steps in range(-2, 3)]
    assert found == [None, step - 1, step, step + 1, None]


@pytest.mark.parametrize("code", ["", "0", "12345", "１２３４５６", "é" * 6, "-" * 32, "\u202e123456"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(SECRET, code, after=0, now=NOW) is None


def test_setting_up_an_app_takes_a_code_and_shows_recovery_codes(signed_in: Client, user: User) -> None:
    set_up_app(signed_in)
    codes = codes_on(signed_in.get(CODES).content.decode())
    assert len(set(codes)) == 10
    assert second_factors.has_second_factor(user)
    assert actions() == ["account.two_factor_added", "account.recovery_codes_made"]
    assert kinds() == ["account.two-factor-added"]
    event = AuditEvent.objects.get(action="account.two_factor_added")
    assert (event.actor, event.object_label, event.address) == (user.email, user.email, "127.0.0.1")
    assert event.after == {"factor": "authenticator app", "is_first": True}


def test_the_qr_code_holds_the_address_for_the_app(signed_in: Client, user: User) -> None:
    html = signed_in.get(APP).content.decode()
    secret = secret_on(html)
    account = user.email.replace("@", "%40")
    assert f"otpauth://totp/mTLS%20Rehearsal%3A{account}?secret={secret}&amp;issuer=mTLS%20Rehearsal" in html
    assert '<svg class="qr" viewBox="0 0 ' in html
    assert "data:" not in html


def test_the_key_stays_the_same_after_a_reload_and_after_a_wrong_code(signed_in: Client, user: User) -> None:
    secret = secret_on(signed_in.get(APP).content.decode())
    answer = signed_in.post(APP, {"code": wrong_code(secret)}).content.decode()
    assert "This is not the code that the app shows now." in answer
    assert secret_on(answer) == secret_on(signed_in.get(APP).content.decode()) == secret
    assert not second_factors.has_second_factor(user)


def test_a_second_app_is_not_set_up(signed_in: Client, user: User) -> None:
    set_up_app(signed_in)
    assert signed_in.get(APP).headers["Location"] == SECURITY
    assert signed_in.post(APP, {"code": "123456"}).headers["Location"] == SECURITY
    assert Authenticator.objects.filter(user=user, type="totp").count() == 1


def test_no_secret_is_kept_in_the_clear(signed_in: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = secret_on(signed_in.get(APP).content.decode())
    sessions = str([row.get_decoded() for row in Session.objects.all()])
    assert secret not in sessions
    signed_in.post(APP, {"code": app_code(secret)})
    codes = codes_on(signed_in.get(CODES).content.decode())
    assert codes
    signed_in.get(f"{CODES}download/")
    secrets = [secret, *codes, *(code.replace("-", "") for code in codes)]
    sessions = str([row.get_decoded() for row in Session.objects.all()])
    kept = [sessions, *(rows.decode("utf-8", "replace") for rows in database_dump().values())]
    logged = [record.getMessage() for record in caplog.records]
    assert not [text for text in [*kept, *logged] for word in secrets if word in text]


def test_recovery_codes_are_shown_until_they_are_kept(signed_in: Client, user: User) -> None:
    set_up_app(signed_in)
    codes = codes_on(signed_in.get(CODES).content.decode())
    text = signed_in.get(f"{CODES}download/")
    assert text.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert "no-store" in text.headers["Cache-Control"]
    assert user.email in text.content.decode()
    assert [code for code in codes if code in text.content.decode()] == codes
    elsewhere = Client()
    elsewhere.force_login(user)
    assert elsewhere.get(f"{CODES}download/").status_code == 403
    assert signed_in.post(CODES, {"do": "kept"}).headers["Location"] == SECURITY
    assert codes_on(signed_in.get(CODES).content.decode()) == []
    assert signed_in.get(f"{CODES}download/").status_code == 403


def test_recovery_codes_are_hidden_after_ten_minutes(signed_in: Client) -> None:
    set_up_app(signed_in)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert signed_in.get(CODES).headers["Location"].startswith(CONFIRM)
        assert signed_in.get(f"{CODES}download/").status_code == 403


def test_new_recovery_codes_end_the_old_ones(signed_in: Client, user: User) -> None:
    give_app(user)
    old = second_factors.recovery_codes_of(user)
    assert "10 are unused" in signed_in.get(CODES).content.decode()
    assert signed_in.post(CODES, {"do": "make"}).headers["Location"] == CODES
    new = second_factors.recovery_codes_of(user)
    assert not set(old) & set(new)
    assert second_factors.use_code(user, old[0], actor=Actor("x"), now=timezone.now()) is None
    assert kinds() == ["account.two-factor-added", "account.recovery-codes-made"]


def test_without_a_factor_there_are_no_recovery_codes(signed_in: Client, user: User) -> None:
    assert signed_in.get(CODES).headers["Location"] == SECURITY
    assert signed_in.post(CODES, {"do": "make"}).headers["Location"] == SECURITY
    assert "Set up one of them first." in signed_in.get(SECURITY).content.decode()
    assert not Authenticator.objects.filter(user=user).exists()


def test_a_recovery_code_works_once_and_its_owner_is_told(user: User) -> None:
    give_app(user)
    code = second_factors.recovery_codes_of(user)[3]
    actor, now = Actor(user.email), timezone.now()
    assert second_factors.use_code(user, f" {code[:4]}-{code[4:]} ", actor=actor, now=now) is not None
    assert second_factors.use_code(user, code, actor=actor, now=now) is None
    assert second_factors.factors_of(user).codes_left == 9
    assert actions()[-1] == "account.recovery_code_used"
    notice = Notice.objects.get(kind="account.recovery-code-used", channel="mail")
    assert "9 of your codes are left." in notice.text


def test_a_code_of_the_app_works_once_and_no_earlier_one_after_it(user: User) -> None:
    give_app(user)
    actor, now = Actor(user.email), timezone.now()
    assert second_factors.use_code(user, app_code(at=now), actor=actor, now=now) is not None
    assert second_factors.use_code(user, app_code(at=now), actor=actor, now=now) is None
    assert second_factors.use_code(user, app_code(at=now, steps=-1), actor=actor, now=now) is None
    assert second_factors.use_code(user, app_code(at=now, steps=1), actor=actor, now=now) is not None


def test_the_code_that_set_the_app_up_signs_nobody_in(signed_in: Client, user: User) -> None:
    with time_machine.travel(NOW, tick=False):
        secret = set_up_app(signed_in)
        client = Client()
        give_password(client, user)
        assert give_code(client, app_code(secret)) == ""
    with time_machine.travel(NOW + timedelta(seconds=30), tick=False):
        assert give_code(client, app_code(secret)) != ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_two_requests_at_once_cannot_use_one_code_twice(user: User) -> None:
    give_app(user)
    code, start, found = app_code(), threading.Barrier(2), []

    def use() -> None:
        start.wait()
        found.append(second_factors.use_code(user, code, actor=Actor("x"), now=timezone.now()) is not None)
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, True]
