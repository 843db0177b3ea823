"""Passkeys: added, used as the second step, and to confirm that it is the person."""

from __future__ import annotations

import base64
import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import Settings

from audit.models import AuditEvent
from connect import second_factors
from connect.models import User
from tests.connect.passkey_steps import ADD, add_key, options_on
from tests.connect.second_factor_steps import (
    CODES,
    CONFIRM,
    SECURITY,
    STEP,
    confirm,
    give_app,
    give_code,
    give_password,
    is_signed_in,
)
from tests.connect.software_key import SoftwareKey
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(name="Alice Marlow")


@pytest.fixture
def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    confirm(client)
    return client


@pytest.fixture
def key(user: User) -> SoftwareKey:
    """The user's own key; it was added in another session."""
    client, key = Client(), SoftwareKey()
    client.force_login(user)
    confirm(client)
    assert add_key(client, key) == CODES
    return key


def test_a_passkey_is_added_with_recovery_codes(signed_in: Client, user: User) -> None:
    assert add_key(signed_in, SoftwareKey()) == CODES
    assert [passkey.name for passkey in second_factors.factors_of(user).passkeys] == ["Laptop"]
    assert second_factors.factors_of(user).codes_left == 10
    event = AuditEvent.objects.get(action="account.two_factor_added")
    assert event.after == {"factor": "passkey “Laptop”", "is_first": True}
    assert add_key(signed_in, SoftwareKey(), "Key") == SECURITY


def test_the_browser_is_told_whose_passkey_it_is_and_which_there_are(
    signed_in: Client, user: User, key: SoftwareKey
) -> None:
    confirmed = Client()
    confirmed.force_login(user)
    confirm(confirmed)
    asked = json.loads(options_on(confirmed, ADD))["publicKey"]
    assert asked["rp"] == {"id": "localhost", "name": "mTLS Rehearsal"}
    assert base64.urlsafe_b64decode(asked["user"]["id"] + "==").decode() == str(user.pk)
    assert (asked["user"]["name"], asked["user"]["displayName"]) == (user.email, user.name)
    listed = [base64.urlsafe_b64decode(known["id"] + "==") for known in asked["excludeCredentials"]]
    assert listed == [key.id]


def test_the_name_is_that_of_the_site_whatever_name_a_request_came_by(
    signed_in: Client, user: User, settings: Settings
) -> None:
    settings.SITE_URL = "https://portal.bank.test"
    settings.ALLOWED_HOSTS = ["testserver", "portal.bank.test"]
    assert json.loads(options_on(signed_in, ADD))["publicKey"]["rp"]["id"] == "portal.bank.test"
    assert add_key(signed_in, SoftwareKey()) == CODES


def test_a_passkey_is_the_second_step(client: Client, user: User, key: SoftwareKey) -> None:
    assert give_password(client, user) == STEP
    answer = key.get(options_on(client, STEP))
    assert client.post(STEP, {"credential": answer}).headers["Location"] == "/projects/"
    assert is_signed_in(client)
    assert second_factors.factors_of(user).passkeys[0].last_used_at is not None


def test_a_passkey_confirms_that_it_is_the_person(client: Client, user: User, key: SoftwareKey) -> None:
    client.force_login(user)
    answer = key.get(options_on(client, CONFIRM))
    assert client.post(CONFIRM, {"credential": answer, "next": ADD}).headers["Location"] == ADD
    assert client.get(ADD).status_code == 200


def test_the_page_offers_recovery_codes_beside_a_passkey(client: Client, user: User, key: SoftwareKey) -> None:
    give_password(client, user)
    page = client.get(STEP).content.decode()
    assert "Use a passkey" in page
    assert "One of your recovery codes, if you have no passkey at hand." in page
    assert give_code(client, second_factors.recovery_codes_of(user)[0]) != ""


def test_without_script_the_page_says_what_is_missing(client: Client, user: User, key: SoftwareKey) -> None:
    give_password(client, user)
    page = client.post(STEP, {"credential": ""}).content.decode()
    assert "Passkeys need JavaScript; without it, use a code." in page


def test_with_an_app_and_a_passkey_one_can_go(signed_in: Client, user: User, key: SoftwareKey) -> None:
    give_app(user)
    client = Client()
    client.force_login(user)
    confirm(client)
    row = Authenticator.objects.get(user=user, type="webauthn")
    assert (
        "Your other factors and your recovery codes go on working."
        in client.get(f"/accounts/security/remove/{row.pk}/").content.decode()
    )
    client.post(f"/accounts/security/remove/{row.pk}/")
    factors = second_factors.factors_of(user)
    assert (factors.is_on, factors.passkeys, factors.codes_left) == (True, (), 10)
