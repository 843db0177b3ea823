"""`Revoke certificate`: the exact word and nothing else, for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority import trust
from certauthority.models import Authority, PublicKey, RevocationReason
from portal.models import Credential, EndReason, Project
from tests.factories import let_expire, make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import PRIVATE_KEY, credential_url, file_of, key_lines, page_url, sent
from tests.portal.foreign_ca import ForeignCa

RIGHT = {"reason": "superseded", "confirmation": "REVOKE"}


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts-2027")


@pytest.fixture
def url(credential: Credential) -> str:
    return credential_url("credential_revoke", credential)


def is_live(credential: Credential) -> bool:
    credential.refresh_from_db()
    credential.certificate.refresh_from_db()
    return credential.ended_at is None and credential.certificate.revoked_at is None


def test_it_names_the_right_certificate(as_alice: Client, url: str, credential: Credential, project: Project) -> None:
    make_credential(project, alias="new-one", predecessor=credential)
    page = as_alice.get(url)
    text, serial = text_of(page), credential.certificate.serial.upper()
    serial = serial.zfill(len(serial) + len(serial) % 2)
    for value in (
        "payouts-2027",
        credential.certificate.common_name,
        ":".join(serial[at : at + 2] for at in range(0, len(serial), 2)),
        "Checkout API, Sandbox",
        f"{credential.certificate.not_after:%-d %b %Y}",
        "Never seen in use here",
        "new-one is live",
        "This cannot be undone",
        "Type REVOKE to confirm",
        "Its public key is then never accepted again",
    ):
        assert value in text
    body = page.content.decode()
    assert 'data-word="REVOKE"' in body
    assert 'data-typed="id_confirmation"' in body
    assert '<option value="superseded" selected>Unused or replaced</option>' in body
    assert " disabled" not in body


def test_it_revokes_and_says_so(as_alice: Client, url: str, credential: Credential, project: Project) -> None:
    response = as_alice.post(url, RIGHT, follow=True)
    assert response.redirect_chain == [(page_url("credentials", project), 302)]
    assert "payouts-2027 was revoked." in text_of(response)
    assert not is_live(credential)
    assert credential.end_reason == EndReason.REVOKED
    assert credential.certificate.revocation_reason == RevocationReason.SUPERSEDED
    event = AuditEvent.objects.get(action="credential.revoked")
    assert (event.actor, event.address) == ("alice@acme.example", "127.0.0.1")


@pytest.mark.parametrize(
    "word",
    [
        "",
        "revoke",
        "Revoke",
        " REVOKE",
        "REVOKE ",
        "REVOKE\n",
        "\tREVOKE",
        "REVOKE\u200b",
        "RЕVOKE",  # Cyrillic Е
        "REVОKE",  # Cyrillic О
        "ＲＥＶＯＫＥ",
        "REVOKE REVOKE",
        "REVOKE\x00",
    ],
)
def test_any_other_word_changes_nothing(as_alice: Client, url: str, credential: Credential, word: str) -> None:
    response = as_alice.post(url, {"reason": "keyCompromise", "confirmation": word})
    assert response.status_code == 200
    assert is_live(credential)
    body = response.content.decode()
    assert 'id="id_confirmation_error"' in body
    assert '<option value="keyCompromise" selected>' in body


def test_without_the_word_or_with_an_odd_reason_nothing_changes(
    as_alice: Client, url: str, credential: Credential
) -> None:
    for form in ({}, {"reason": "superseded"}, {"confirmation": "REVOKE", "reason": "cACompromise"}):
        assert as_alice.post(url, form).status_code == 200
    assert as_alice.get(url, RIGHT).status_code == 200
    assert is_live(credential)
    assert not AuditEvent.objects.filter(action="credential.revoked").exists()


def test_a_private_key_in_the_box_is_not_shown_again(as_alice: Client, url: str, credential: Credential) -> None:
    body = as_alice.post(url, {**RIGHT, "confirmation": PRIVATE_KEY}).content.decode()
    assert not [line for line in key_lines() if line in body]
    assert is_live(credential)


def test_sent_twice_it_revokes_once(as_alice: Client, url: str, credential: Credential) -> None:
    as_alice.post(url, RIGHT)
    credential.refresh_from_db()
    ended_at = credential.ended_at
    response = as_alice.post(url, {**RIGHT, "reason": "keyCompromise"})
    assert response.status_code == 200
    assert "payouts-2027 has ended already" in text_of(response)
    assert b'<form class="danger-zone' not in response.content
    credential.refresh_from_db()
    assert credential.ended_at == ended_at
    assert AuditEvent.objects.filter(action="credential.revoked").count() == 1


def test_key_compromise_condemns_the_key(as_alice: Client, url: str, credential: Credential) -> None:
    as_alice.post(url, {**RIGHT, "reason": "keyCompromise"})
    key = PublicKey.objects.get(fingerprint=credential.certificate.public_key_fingerprint)
    assert key.compromised_at is not None


def test_an_expired_one_can_be_revoked_and_frees_its_name(as_alice: Client, url: str, credential: Credential) -> None:
    let_expire(credential, in_days=-2)
    assert "It is safe to revoke" in text_of(as_alice.get(url))
    as_alice.post(url, RIGHT)
    assert not is_live(credential)


def test_of_another_ca_only_its_use_here_ends(as_alice: Client, project: Project, authorities: object) -> None:
    ca = ForeignCa()
    trust.add(ca.pem, note="", actor=Actor("staff@rehearsal.example"), now=timezone.now() - timedelta(minutes=1))
    as_alice.post(page_url("upload_certificate", project), sent(certificate_file=file_of(ca.client_certificate())))
    credential = Credential.objects.get()
    url = credential_url("credential_revoke", credential)
    text = text_of(as_alice.get(url))
    assert "Its use on this project ends" in text
    assert "Its issuer, Elsewhere Root, is not told" in text
    assert "ask whoever runs that CA" in text
    text = text_of(as_alice.post(url, RIGHT, follow=True))
    assert "The use of payouts on this project was ended." in text
    credential.refresh_from_db()
    assert credential.end_reason == EndReason.USE_ENDED
    assert credential.certificate.revoked_at is None


def test_strangers_get_404_and_readers_403(
    as_charlie: Client, as_bob: Client, url: str, credential: Credential
) -> None:
    for client, status in ((as_charlie, 404), (as_bob, 403)):
        assert client.get(url).status_code == client.post(url, RIGHT).status_code == status
    assert is_live(credential)


def test_other_methods_are_refused(as_alice: Client, url: str) -> None:
    assert as_alice.put(url).status_code == as_alice.delete(url).status_code == 405
