"""`Revoke certificate` of one that is in use: its facts before the word, and one more tick."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from certauthority.models import Authority, ReasonCode
from portal.models import Credential, CredentialMethod, Project
from tests.factories import let_expire, make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url
from tests.portal.rotation_calls import BATCH, OFFICE, called

RIGHT = {"reason": "superseded", "confirmation": "REVOKE"}
TICKED = {**RIGHT, "knows_of_use": "on"}


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts-2027")


@pytest.fixture
def url(credential: Credential) -> str:
    return credential_url("credential_revoke", credential)


def is_live(credential: Credential) -> bool:
    credential.refresh_from_db()
    return credential.ended_at is None


def test_it_tells_the_last_hour_before_the_word(as_alice: Client, url: str, credential: Credential) -> None:
    assert "In the last hour No call accepted" in text_of(as_alice.get(url))
    now = timezone.now()
    called(credential, 5, 10, now=now)
    called(credential, 15, address=BATCH, now=now)
    text = text_of(as_alice.get(url))
    assert f"In the last hour 3 calls accepted, from {OFFICE}, {BATCH}" in text
    assert f"Still in use: 3 calls in the last hour from {OFFICE} and 1 more" in text
    at = f"{now - timedelta(minutes=5):%H:%M}"
    tick = f"I know that it was used 3 times in the last hour, last at {at} UTC, from {OFFICE} and 1 more, and that"
    assert tick in text
    called(credential, 3, address="10.0.0.9", reason=ReasonCode.WRONG_ENVIRONMENT)
    text = text_of(as_alice.get(url))
    assert f"3 calls accepted, from {OFFICE}, {BATCH}; 1 refused, from 10.0.0.9" in text
    assert tick in text
    assert text.index("Still in use") < text.index("Type REVOKE to confirm")


def test_without_the_tick_nothing_is_revoked_and_nothing_typed_is_lost(
    as_alice: Client, url: str, credential: Credential
) -> None:
    called(credential, 5)
    answer = as_alice.post(url, {"reason": "keyCompromise", "confirmation": "REVOKE"})
    assert answer.status_code == 200
    assert is_live(credential)
    body = answer.content.decode()
    assert "Tick that you know, or keep it. Nothing was revoked." in text_of(answer)
    assert 'value="REVOKE"' in body
    assert '<option value="keyCompromise" selected>' in body
    as_alice.post(url, TICKED)
    assert not is_live(credential)


def test_use_that_began_after_the_page_was_opened_asks_for_the_tick(
    as_alice: Client, url: str, credential: Credential
) -> None:
    assert "I know that it was used" not in text_of(as_alice.get(url))
    called(credential, 0.5)
    answer = as_alice.post(url, RIGHT)
    assert is_live(credential)
    assert "I know that it was used once in the last hour" in text_of(answer)
    assert 'value="REVOKE"' in answer.content.decode()


@pytest.mark.parametrize("minutes", [61, 600])
def test_use_of_before_asks_for_no_tick(as_alice: Client, url: str, credential: Credential, minutes: int) -> None:
    called(credential, minutes)
    assert "I know that it was used" not in text_of(as_alice.get(url))
    as_alice.post(url, RIGHT)
    assert not is_live(credential)


def test_refused_calls_are_no_use_but_are_told(as_alice: Client, url: str, credential: Credential) -> None:
    called(credential, 5, 6, reason=ReasonCode.WRONG_ENVIRONMENT)
    text = text_of(as_alice.get(url))
    assert f"No call accepted; 2 refused, from {OFFICE}" in text
    assert "I know that it was used" not in text
    as_alice.post(url, RIGHT)
    assert not is_live(credential)


def test_the_tick_alone_revokes_nothing(as_alice: Client, url: str, credential: Credential) -> None:
    called(credential, 5)
    answer = as_alice.post(url, {**TICKED, "confirmation": "revoke"})
    assert is_live(credential)
    assert "checked" in answer.content.decode()


def test_the_facts_of_the_successor_stand_there(
    as_alice: Client, url: str, project: Project, credential: Credential
) -> None:
    new = make_credential(project, alias="new-one", predecessor=credential)
    assert "new-one is live, not used yet" in text_of(as_alice.get(url))
    now = timezone.now()
    called(new, 200, 3, now=now)
    text = text_of(as_alice.get(url))
    first, last = (f"{now - timedelta(minutes=ago):%-d %b %Y, %H:%M} UTC" for ago in (200, 3))
    assert f"new-one is live, first used on {first}, last on {last}" in text
    assert "Safe to revoke the old certificate" in text
    assert credential_url("rotation_report", credential) in as_alice.get(url).content.decode()


def test_page_report_and_revocation_say_the_same(
    as_alice: Client, url: str, project: Project, credential: Credential
) -> None:
    new = make_credential(project, alias="new-one", predecessor=credential)
    pages = [credential_url(name, credential) for name in ("credential", "credential_revoke", "rotation_report")]
    for calls, sentence in (
        ((), "Neither certificate has been used yet"),
        ((credential, 50), "The new certificate has not been used yet"),
        ((new, 40), "The old certificate has been silent for 5"),
        ((credential, 3), f"Still in use: 2 calls in the last hour from {OFFICE}"),
    ):
        if calls:
            called(calls[0], calls[1])
        for page in pages:
            assert sentence in text_of(as_alice.get(page)), page


def test_an_expired_one_that_was_used_in_the_last_hour_asks_too(
    as_alice: Client, url: str, credential: Credential
) -> None:
    called(credential, 5)
    let_expire(credential, in_days=-1)
    text = text_of(as_alice.get(url))
    assert "It is safe to revoke" in text
    as_alice.post(url, TICKED)
    assert not is_live(credential)


def test_revoke_and_create_again_asks_as_well(as_alice: Client, project: Project, authorities: object) -> None:
    made = make_credential(project, method=CredentialMethod.GENERATED_KEY)
    called(made, 5)
    url = f"{credential_url('credential_revoke', made)}?again=1"
    assert "Still in use: 1 call in the last hour" in text_of(as_alice.get(url))
    as_alice.post(url, RIGHT)
    assert is_live(made)
    as_alice.post(url, TICKED)
    assert not is_live(made)
