"""Signing in and out, and changing a password."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from audit.models import AuditEvent
from connect.accounts import AccountAdapter
from connect.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from connect.models import User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
NEW_PASSWORD = "a new battery of horses"
WRONG = "The e-mail address or the password is not right."


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> str:
    """Where the sign-in form led, or "" where it stayed."""
    response = client.post(LOGIN, {"login": email, "password": password, **extra})
    return response.headers.get("Location", "")


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_the_right_password_leads_to_my_projects(client: Client) -> None:
    user = make_user()
    assert sign_in(client, user.email) == reverse("portal:projects")
    assert client.session["_auth_user_id"] == str(user.pk)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.object_label) == ("account.signed_in", user.email, user.email)
    assert (event.address, event.company) == ("127.0.0.1", str(user.company_id))


def test_the_case_of_the_address_does_not_matter(client: Client) -> None:
    make_user(email="alice@company.example")
    assert sign_in(client, " Alice@Company.EXAMPLE ") != ""


def test_the_session_gets_a_new_key_at_sign_in(client: Client) -> None:
    client.get(LOGIN)
    session = client.session
    session["before"] = "1"
    session.save()
    before = session.session_key
    sign_in(client, make_user().email)
    assert client.session.session_key not in (None, before)


def test_a_wrong_password_an_unknown_address_and_an_inactive_account_get_the_same_answer(client: Client) -> None:
    known, inactive = make_user(), make_user(is_active=False)
    answers = []
    for email, password in ((known.email, "wrong"), ("nobody@company.example", "wrong"), (inactive.email, PASSWORD)):
        html = client.post(LOGIN, {"login": email, "password": password}).content.decode()
        answers.append((WRONG in html, "_auth_user_id" in client.session))
    assert answers == [(True, False)] * 3


def test_an_unknown_address_costs_as_much_hashing_as_a_known_one(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    for email in (user.email, "nobody@company.example"):
        hashed.clear()
        sign_in(client, email, "wrong")
        assert hashed == ["wrong"]


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:evil.example"],
)
def test_sign_in_never_leads_to_another_site(client: Client, target: str) -> None:
    assert sign_in(client, make_user().email, next=target) == reverse("portal:projects")


def test_sign_in_leads_back_to_the_page_that_asked_for_it(client: Client) -> None:
    asked = client.get(reverse("account_change_password")).headers["Location"]
    assert asked == f"{LOGIN}?next=/accounts/password/"
    html = client.get(asked).content.decode()
    assert '<input type="hidden" name="next" value="/accounts/password/">' in html
    assert sign_in(client, make_user().email, next="/accounts/password/") == "/accounts/password/"


def test_a_hostile_next_is_shown_escaped(client: Client) -> None:
    html = client.get(LOGIN, {"next": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in html


def test_the_form_is_refused_without_its_token() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(LOGIN, {"login": make_user().email, "password": PASSWORD})
    assert response.status_code == 403
    assert "This form has grown old" in response.content.decode()
    assert actions() == []


def test_signing_out_takes_a_post_and_ends_the_session(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    assert "Sign out" in client.get("/accounts/logout/").content.decode()
    assert "_auth_user_id" in client.session
    response = client.post("/accounts/logout/")
    assert response.headers["Location"] == LOGIN
    assert "_auth_user_id" not in client.session
    assert actions() == ["account.signed_out"]


def test_signing_out_twice_is_harmless(client: Client) -> None:
    assert client.post("/accounts/logout/").headers["Location"] == LOGIN
    assert actions() == []


def change_password(client: Client, old: str = PASSWORD, new: str = NEW_PASSWORD, again: str = NEW_PASSWORD) -> int:
    data = {"oldpassword": old, "password1": new, "password2": again}
    return client.post("/accounts/password/", data).status_code


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(client: Client) -> None:
    user, elsewhere = make_user(), Client()
    client.force_login(user)
    elsewhere.force_login(user)
    assert change_password(client) == 302
    assert client.get("/accounts/password/").status_code == 200
    assert elsewhere.get("/accounts/password/").status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert actions() == ["account.password_changed"]


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD),
        (PASSWORD, NEW_PASSWORD, "other"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "", ""),
    ],
)
def test_a_bad_change_of_password_changes_nothing(client: Client, old: str, new: str, again: str) -> None:
    user = make_user()
    client.force_login(user)
    assert change_password(client, old, new, again) == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert actions() == []


def test_wrong_current_passwords_lock_like_failed_sign_ins(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    for _ in range(settings.SIGN_IN_FAILURES):
        change_password(client, old="wrong")
    assert change_password(client) == 200
    assert sign_in(Client(), user.email) == ""
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_registration_is_closed(rf: object) -> None:
    assert AccountAdapter().is_open_for_signup(rf) is False  # type: ignore[arg-type]  # it looks at no request
    for name in ("account_signup", "account_reset_password", "account_email"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


@pytest.mark.parametrize("path", ["signup/", "password/reset/", "email/", "login/code/", "reauthenticate/"])
def test_the_librarys_other_pages_do_not_exist(client: Client, path: str) -> None:
    assert client.get(f"/accounts/{path}").status_code == 404


def make_demo_users() -> None:
    for account in DEMO_ACCOUNTS:
        make_user(email=account.email, name=account.name, password=DEMO_PASSWORD)


def test_in_demo_mode_the_page_names_the_accounts_and_their_password(client: Client, settings: Settings) -> None:
    settings.DEMO = True
    make_demo_users()
    html = client.get(LOGIN).content.decode()
    assert all(account.name in html and f'value="{account.email}"' in html for account in DEMO_ACCOUNTS)
    assert f"<code>{DEMO_PASSWORD}</code>" in html
    assert sign_in(client, DEMO_ACCOUNTS[0].email, DEMO_PASSWORD) == reverse("portal:projects")


def test_outside_demo_mode_the_page_names_nobody(client: Client, settings: Settings) -> None:
    settings.DEMO = False
    make_demo_users()
    html = client.get(LOGIN).content.decode()
    assert not any(account.email in html for account in DEMO_ACCOUNTS)
    assert DEMO_PASSWORD not in html.replace("mTLS Rehearsal", "")


def test_a_demo_account_that_is_gone_is_not_offered(client: Client, settings: Settings) -> None:
    settings.DEMO = True
    make_demo_users()
    User.objects.filter(email=DEMO_ACCOUNTS[0].email).update(is_active=False)
    html = client.get(LOGIN).content.decode()
    assert f'value="{DEMO_ACCOUNTS[0].email}"' not in html
    assert f'value="{DEMO_ACCOUNTS[1].email}"' in html


def test_neither_password_nor_address_reaches_the_log_or_the_cache(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    user = make_user(email="canary@company.example", password="canary-password-1")
    sign_in(client, user.email, "canary-password-2")
    keys = [key.decode() for key in cache._cache.get_client(None, write=True).keys("*")]  # type: ignore[attr-defined]
    assert keys
    sign_in(client, user.email, "canary-password-1")
    messages = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    assert not [text for text in [*messages, *keys] if "canary" in text]
