"""`Revoke` in KMP: the exact word, once, for good, and for everybody who uses the certificate."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Certificate, PublicKey, RevocationReason
from certauthority.x509.export import pem
from connect.models import Company, User
from connect.templatetags.look import colon_hex
from kmp.models import EntryState, InventoryEntry
from portal.enrolment import NewCredential, add_uploaded
from portal.models import Credential, CredentialMethod, EndReason, Environment
from tests.factories import make_project, make_user
from tests.kmp.factories import let_entry_expire, make_chain, make_entry
from tests.page_text import text_of
from tests.portal.credential_pages import PRIVATE_KEY, key_lines

RIGHT = {"reason": "superseded", "confirmation": "REVOKE"}


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    return make_entry(acme)


@pytest.fixture
def url(entry: InventoryEntry) -> str:
    return url_of(entry)


def url_of(entry: InventoryEntry) -> str:
    return reverse("kmp:entry_revoke", args=[entry.reference])


def is_live(entry: InventoryEntry) -> bool:
    found = InventoryEntry.objects.select_related("certificate").get(pk=entry.pk)
    return found.state == EntryState.LIVE and found.certificate.revoked_at is None


def test_it_names_the_right_certificate(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    page = as_olga.get(url)
    text = text_of(page)
    for value in (
        entry.reference,
        entry.common_name,
        colon_hex(entry.serial),
        "Developers portal client, MTF",
        f"{entry.expires_at:%-d %b %Y}",
        "Never seen in use here",
        "no newer version",
        "No newer version can take over",
        "This cannot be undone",
        "Every project of the Developers portal that uses it loses it",
        "Type REVOKE to confirm",
    ):
        assert value in text
    body = page.content.decode()
    assert 'data-word="REVOKE"' in body
    assert 'data-typed="id_confirmation"' in body
    assert " disabled" not in body


def test_it_revokes_and_says_so(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    response = as_olga.post(url, {**RIGHT, "reason": "cessationOfOperation"}, follow=True)
    assert response.redirect_chain == [(reverse("kmp:entry", args=[entry.reference]), 302)]
    assert f"{entry.reference} was revoked." in text_of(response)
    assert not is_live(entry)
    certificate = Certificate.objects.get(pk=entry.certificate_id)
    assert certificate.revocation_reason == RevocationReason.CESSATION_OF_OPERATION
    event = AuditEvent.objects.get(action="kmp.certificate-revoked")
    assert (event.actor, event.address) == ("olga@acme.example", "127.0.0.1")


@pytest.mark.parametrize(
    "word", ["", "revoke", "Revoke", " REVOKE", "REVOKE ", "REVOKE\n", "RЕVOKE", "ＲＥＶＯＫＥ", "REVOKE REVOKE"]
)
def test_any_other_word_changes_nothing(as_olga: Client, url: str, entry: InventoryEntry, word: str) -> None:
    response = as_olga.post(url, {"reason": "keyCompromise", "confirmation": word})
    assert response.status_code == 200
    assert is_live(entry)
    assert 'id="id_confirmation_error"' in response.content.decode()


def test_an_odd_reason_or_a_get_changes_nothing(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    for form in ({}, {"reason": "superseded"}, {"confirmation": "REVOKE", "reason": "cACompromise"}):
        assert as_olga.post(url, form).status_code == 200
    assert as_olga.get(url, RIGHT).status_code == 200
    assert is_live(entry)


def test_a_private_key_in_the_box_is_not_shown_again(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    body = as_olga.post(url, {**RIGHT, "confirmation": PRIVATE_KEY}).content.decode()
    assert not [line for line in key_lines() if line in body]
    assert is_live(entry)


def test_sent_twice_it_revokes_once(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    as_olga.post(url, RIGHT)
    revoked_at = Certificate.objects.get(pk=entry.certificate_id).revoked_at
    response = as_olga.post(url, {**RIGHT, "reason": "keyCompromise"})
    assert f"{entry.reference} is revoked already" in text_of(response)
    assert b'<form class="danger-zone' not in response.content
    assert Certificate.objects.get(pk=entry.certificate_id).revoked_at == revoked_at
    assert AuditEvent.objects.filter(action="kmp.certificate-revoked").count() == 1
    assert not PublicKey.objects.filter(compromised_at__isnull=False).exists()


def test_key_compromise_condemns_the_key(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    as_olga.post(url, {**RIGHT, "reason": "keyCompromise"})
    assert PublicKey.objects.get(pk=entry.certificate.public_key_fingerprint).compromised_at is not None


def test_an_older_version_can_be_revoked_and_stays_renewed(as_olga: Client, acme: Company) -> None:
    first, second = make_chain(acme, 2)
    text = text_of(as_olga.get(url_of(first)))
    assert f"Renewed By {second.reference}" in text
    assert "No newer version can take over" not in text
    as_olga.post(url_of(first), RIGHT)
    first.refresh_from_db()
    assert first.state == EntryState.RENEWED
    assert Certificate.objects.get(pk=first.certificate_id).revoked_at is not None
    assert is_live(second)


def test_an_expired_one_can_be_revoked(as_olga: Client, url: str, entry: InventoryEntry) -> None:
    let_entry_expire(entry, in_days=-2)
    as_olga.post(url, RIGHT)
    assert not is_live(entry)


def test_the_credential_that_uses_it_ends(as_olga: Client, acme: Company, url: str, entry: InventoryEntry) -> None:
    new = NewCredential(
        project=make_project(admin=make_user(company=acme)),
        environment=Environment.SANDBOX,
        alias="from-kmp",
        method=CredentialMethod.UPLOADED_CERTIFICATE,
        submission=entry.pk,
    )
    add_uploaded(new, pem(bytes(entry.certificate.der)).encode(), actor=Actor("alice"), now=timezone.now())
    as_olga.post(url, RIGHT)
    credential = Credential.objects.get(alias="from-kmp")
    assert (credential.end_reason, credential.ended_at is not None) == (EndReason.REVOKED, True)


def test_strangers_get_404_and_so_does_who_lost_access(
    as_olga: Client, as_charlie: Client, olga: User, url: str, entry: InventoryEntry
) -> None:
    assert as_charlie.get(url).status_code == as_charlie.post(url, RIGHT).status_code == 404
    olga.access_requests.update(state="withdrawn")
    assert as_olga.get(url).status_code == as_olga.post(url, RIGHT).status_code == 404
    assert is_live(entry)


def test_other_methods_are_refused(as_olga: Client, url: str) -> None:
    assert as_olga.put(url).status_code == as_olga.delete(url).status_code == 405
