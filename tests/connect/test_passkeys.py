"""Passkeys: added, used as the second step, and what is no answer to what was asked."""

from __future__ import annotations

import base64
import html
import json
import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from fido2.webauthn import AuthenticatorData
from pytest_django import Settings

from audit.models import AuditEvent
from connect import second_factors
from connect.models import User
from tests.connect.second_factor_steps import (
    CODES,
    CONFIRM,
    LOGIN,
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

ADD = "/accounts/security/passkey/"
REFUSED = "The passkey could not be checked."
NOBODY = AuthenticatorData.FLAG(0)
OTHER_CHALLENGE = base64.urlsafe_b64encode(b"x" * 32).decode().rstrip("=")


@pytest.fixture
def user() -> User:
    return make_user(name="Alice Marlow")


@pytest.fixture
def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    confirm(client)
    return client


def options_on(client: Client, page: str) -> str:
    """What the page would have the browser do."""
    found = re.search(r'data-options="([^"]*)"', client.get(page).content.decode())
    assert found is not None
    return html.unescape(found[1])


def add_key(client: Client, key: SoftwareKey, name: str = "Laptop") -> str:
    answer = key.create(options_on(client, ADD))
    return client.post(ADD, {"name": name, "credential": answer}).headers.get("Location", "")


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


LIES = {
    "another challenge": {"challenge": OTHER_CHALLENGE},
    "another site": {"origin": "https://evil.example"},
    "a site whose name begins alike": {"origin": "http://localhost.evil.example"},
    "plain http elsewhere": {"origin": "http://portal.bank.test"},
    "a key for another name": {"rp_id": "evil.example"},
    "nobody touched it": {"flags": NOBODY},
}


@pytest.mark.parametrize("lies", [*LIES.values(), {"kind": "webauthn.get"}], ids=[*LIES, "an answer to sign-in"])
def test_a_new_passkey_must_answer_what_was_asked(signed_in: Client, user: User, lies: dict[str, object]) -> None:
    answer = SoftwareKey().create(options_on(signed_in, ADD), **lies)
    response = signed_in.post(ADD, {"name": "Laptop", "credential": answer})
    assert REFUSED in response.content.decode()
    assert not Authenticator.objects.filter(user=user).exists()


@pytest.mark.parametrize("algorithm", [-65535, -9999, "ES256"])
def test_a_key_of_an_algorithm_that_was_not_asked_for_is_refused(
    signed_in: Client, user: User, algorithm: object
) -> None:
    key = SoftwareKey()
    public = key.public | {3: algorithm}
    answer = key.create(options_on(signed_in, ADD), public_key=public)
    assert REFUSED in signed_in.post(ADD, {"name": "Laptop", "credential": answer}).content.decode()
    assert not Authenticator.objects.filter(user=user).exists()


@pytest.mark.parametrize("lies", [*LIES.values(), {"kind": "webauthn.create"}], ids=[*LIES, "an answer to set-up"])
def test_the_second_step_takes_no_other_answer(
    client: Client, user: User, key: SoftwareKey, lies: dict[str, object]
) -> None:
    give_password(client, user)
    answer = key.get(options_on(client, STEP), **lies)
    assert REFUSED in client.post(STEP, {"credential": answer}).content.decode()
    assert not is_signed_in(client)


def test_another_key_with_the_same_id_is_refused(client: Client, user: User, key: SoftwareKey) -> None:
    give_password(client, user)
    answer = key.get(options_on(client, STEP), signer=SoftwareKey().key)
    assert REFUSED in client.post(STEP, {"credential": answer}).content.decode()
    assert not is_signed_in(client)


def test_somebody_elses_passkey_is_refused(client: Client, user: User, key: SoftwareKey) -> None:
    other, elsewhere, others = make_user(), Client(), SoftwareKey()
    elsewhere.force_login(other)
    confirm(elsewhere)
    add_key(elsewhere, others)
    give_password(client, user)
    answer = others.get(options_on(client, STEP))
    assert REFUSED in client.post(STEP, {"credential": answer}).content.decode()
    assert not is_signed_in(client)


def test_an_answer_is_good_once(client: Client, user: User, key: SoftwareKey) -> None:
    give_password(client, user)
    answer = key.get(options_on(client, STEP))
    client.post(STEP, {"credential": answer})
    again = Client()
    give_password(again, user)
    options_on(again, STEP)
    assert REFUSED in again.post(STEP, {"credential": answer}).content.decode()
    assert not is_signed_in(again)


def test_bad_answers_count_like_wrong_codes(client: Client, user: User, key: SoftwareKey) -> None:
    give_password(client, user)
    pages = [client.post(STEP, {"credential": "{}"}).content.decode() for _ in range(10)]
    assert ["is locked until" in page for page in pages] == [False] * 9 + [True]
    assert LOGIN not in client.post(STEP, {"credential": key.get(options_on(client, STEP))}).headers.get("Location", "")
    assert not is_signed_in(client)


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _answer(**response: object) -> str:
    return json.dumps({"rawId": "AAAA", "response": response})


GOOD_CLIENT_DATA = _encoded({"type": "webauthn.create", "challenge": OTHER_CHALLENGE, "origin": "http://localhost"})
GARBAGE = {
    "no JSON": "x",
    "null": "null",
    "a number": "1",
    "a list": "[]",
    "a text": '"x"',
    "deep": "[" * 30_000,
    "nothing in it": "{}",
    "no response": '{"rawId": "AAAA"}',
    "a list for the response": '{"rawId": "AAAA", "response": []}',
    "a number for the id": '{"rawId": 1, "response": {}}',
    "NUL": '{"rawId": "\\u0000", "response": {}}',
    "half a surrogate": '{"rawId": "\\ud800", "response": {}}',
    "not a number": '{"rawId": NaN, "response": {}}',
    "too long": "x" * 40_000,
    "client data that is no JSON": _answer(clientDataJSON="AAAA", attestationObject="oA", authenticatorData="AA"),
    "client data that is no base64": _answer(clientDataJSON="A", attestationObject="oA", authenticatorData="AA"),
    "a challenge to allocate": _answer(
        clientDataJSON=_encoded({"type": "webauthn.create", "challenge": 10**11, "origin": "x"}),
        attestationObject="oA",
        authenticatorData="AA",
        signature="AA",
    ),
    **{
        f"attestation {octets.hex()[:12]}": _answer(
            clientDataJSON=GOOD_CLIENT_DATA,
            attestationObject=base64.urlsafe_b64encode(octets).decode().rstrip("="),
            authenticatorData=base64.urlsafe_b64encode(octets).decode().rstrip("="),
            signature="AA",
        )
        for octets in (
            b"\x00",
            b"\xa0",
            b"\xff",
            b"\x9b" + b"\xff" * 8,
            b"\x5b" + b"\xff" * 8,
            b"\x81" * 20_000,
            b"\xa3cfmtdnonegattStmt\xa0hauthDataX\x25" + b"\x00" * 32 + b"\x41\x00\x00\x00\x00",
            b"\x00" * 37,
            b"\x00" * 32 + b"\xc1" + b"\x00" * 60,
        )
    },
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_what_no_browser_sends_is_refused_with_a_sentence(
    signed_in: Client, user: User, key: SoftwareKey, text: str
) -> None:
    confirmed, stepping = Client(), Client()
    confirmed.force_login(user)
    confirm(confirmed)
    confirmed.get(ADD)
    give_password(stepping, user)
    stepping.get(STEP)
    for client, page, form in ((confirmed, ADD, {"name": "Laptop"}), (confirmed, CONFIRM, {}), (stepping, STEP, {})):
        response = client.post(page, {**form, "credential": text})
        assert response.status_code == 200
        assert 'class="alert bad" role="alert">' in response.content.decode()
    assert Authenticator.objects.filter(user=user, type="webauthn").count() == 1


def test_without_script_the_page_says_what_is_missing(client: Client, user: User, key: SoftwareKey) -> None:
    give_password(client, user)
    page = client.post(STEP, {"credential": ""}).content.decode()
    assert "Passkeys need JavaScript; without it, use a code." in page


@pytest.mark.parametrize("name", ["", "x" * 81, "a\u202eb", "\x00"])
def test_a_bad_name_adds_nothing(signed_in: Client, user: User, name: str) -> None:
    answer = SoftwareKey().create(options_on(signed_in, ADD))
    assert signed_in.post(ADD, {"name": name, "credential": answer}).status_code == 200
    assert not Authenticator.objects.filter(user=user).exists()


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
