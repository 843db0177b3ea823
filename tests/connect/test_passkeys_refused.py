"""What is no passkey, and no answer to what was asked of one."""

from __future__ import annotations

import base64
import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from fido2.webauthn import AuthenticatorData

from connect.models import User
from tests.connect.passkey_steps import ADD, add_key, options_on
from tests.connect.second_factor_steps import CODES, CONFIRM, LOGIN, STEP, confirm, give_password, is_signed_in
from tests.connect.software_key import SoftwareKey
from tests.factories import make_user

pytestmark = pytest.mark.django_db

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


@pytest.fixture
def key(user: User) -> SoftwareKey:
    """The user's own key; it was added in another session."""
    client, key = Client(), SoftwareKey()
    client.force_login(user)
    confirm(client)
    assert add_key(client, key) == CODES
    return key


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


@pytest.mark.parametrize("name", ["", "x" * 81, "a\u202eb", "\x00"])
def test_a_bad_name_adds_nothing(signed_in: Client, user: User, name: str) -> None:
    answer = SoftwareKey().create(options_on(signed_in, ADD))
    assert signed_in.post(ADD, {"name": name, "credential": answer}).status_code == 200
    assert not Authenticator.objects.filter(user=user).exists()
