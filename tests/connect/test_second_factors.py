"""Second factors: set up, kept, used once, removed."""

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
from pytest_django import Settings

from audit.events import Actor
from audit.models import AuditEvent
from connect import second_factors
from connect.errors import LastFactor
from connect.models import Notice, User
from connect.totp import matching_step
from tests.connect.second_factor_steps import (
    APP,
    CODES,
    CONFIRM,
    SECRET,
    SECURITY,
    app_code,
    codes_on,
    confirm,
    give_app,
    give_code,
    give_password,
    wrong_code,
)
from tests.factories import PASSWORD, make_user
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


def secret_on(html: str) -> str:
    """The key on the page that sets up an app."""
    return html.split('id="totp-key"><pre tabindex="0">', 1)[1].split("</pre>", 1)[0].replace(" ", "")


def set_up_app(client: Client) -> str:
    secret = secret_on(client.get(APP).content.decode())
    assert client.post(APP, {"code": app_code(secret)}).headers["Location"] == CODES
    return secret


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def kinds() -> list[str]:
    return list(Notice.objects.filter(channel="mail").order_by("created_at", "id").values_list("kind", flat=True))


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
