"""The page of one certificate: everything about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, CertificateUse, RevocationReason
from certauthority.records import facts_of
from portal import revocation
from portal.models import Credential, Project
from tests.factories import let_expire, make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts-2027")


def used(credential: Credential, *, first: float, last: float) -> None:
    """Seen in use from and until so many hours ago."""
    now = timezone.now()
    CertificateUse.objects.create(
        certificate=credential.certificate,
        first_used_at=now - timedelta(hours=first),
        last_used_at=now - timedelta(hours=last),
    )


def test_it_shows_everything(as_bob: Client, credential: Credential) -> None:
    page = as_bob.get(credential_url("credential", credential))
    text, facts = text_of(page), facts_of(credential.certificate)
    for label in ("Subject", "Alternative names", "Serial number", "Issuer", "Valid", "Key", "May be used for", "CRL"):
        assert label in text
    for value in (
        "payouts-2027",
        facts.subject.text,
        "CN=Rehearsal Developers CA,O=mTLS Rehearsal",
        "digitalSignature; clientAuth",
        "EC P-256",
        facts.crl_urls[0],
        facts.ca_issuer_urls[0],
        "by factory, with “Upload a CSR”",
        "days left",
        "Issuer: Rehearsal Developers CA",
        "Root: Rehearsal Root CA",
    ):
        assert value in text
    assert facts.pem.splitlines()[1] in page.content.decode().replace("&#x2B;", "+")


def test_both_fingerprints_are_labelled(as_bob: Client, credential: Credential) -> None:
    text = text_of(as_bob.get(credential_url("credential", credential)))
    certificate = credential.certificate
    for label, value in (
        ("Certificate SHA-256", certificate.fingerprint),
        ("Public key SHA-256", certificate.public_key_fingerprint),
    ):
        pairs = ":".join(value.upper()[at : at + 2] for at in range(0, 64, 2))
        assert f"{label} {pairs}" in text


def test_everything_long_can_be_copied(as_bob: Client, credential: Credential) -> None:
    body = as_bob.get(credential_url("credential", credential)).content.decode()
    for what in ("the subject", "the serial number", "the issuer", "the PEM", "the public key’s SHA-256"):
        assert f'aria-label="Copy {what}"' in body


def test_the_four_downloads_are_there(as_bob: Client, credential: Credential) -> None:
    body = as_bob.get(credential_url("credential", credential)).content.decode()
    for format_name in ("pem", "chain", "der", "p7b"):
        assert credential_url("credential_download", credential, format_name) in body


def test_the_history_is_the_audit_log_of_this_certificate(
    as_alice: Client, credential: Credential, project: Project
) -> None:
    make_credential(project, alias="other-alias")
    revocation.end(
        credential,
        reason=RevocationReason.KEY_COMPROMISE,
        actor=Actor("zoe@acme.example", "192.0.2.7"),
        now=timezone.now(),
    )
    text = text_of(as_alice.get(credential_url("credential", credential))).partition("History")[2]
    assert "Revoked the certificate payouts-2027" in text
    assert "zoe@acme.example, from 192.0.2.7" in text
    assert "Key compromise" in text
    assert "Added the certificate payouts-2027 to Sandbox" in text
    assert "other-alias" not in text


def test_an_admin_may_rotate_and_revoke_a_live_one_only(
    as_alice: Client, as_bob: Client, credential: Credential
) -> None:
    url, revoke = credential_url("credential", credential), credential_url("credential_revoke", credential)
    assert revoke in as_alice.get(url).content.decode()
    assert revoke not in as_bob.get(url).content.decode()
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    page = as_alice.get(url)
    assert revoke not in page.content.decode()
    assert "Revoked on" in text_of(page)


def test_an_expired_one_says_so(as_alice: Client, credential: Credential) -> None:
    let_expire(credential, in_days=-3)
    text = text_of(as_alice.get(credential_url("credential", credential)))
    assert "Expired 3 days ago" in text


@pytest.mark.parametrize(
    ("old_use", "new_use", "sentence"),
    [
        (None, None, "is live and can take over"),
        ((50, 2), None, "The new certificate has not been used yet"),
        ((50, 0.5), (10, 0.1), "Still in use: 1 call in the last hour"),
        ((50, 2), (10, 3), "The last call came with the old certificate"),
        ((50, 2), (10, 1), "Safe to revoke the old certificate"),
        ((50, 12), (10, 1), "Safe to revoke the old certificate"),
        (None, (10, 1), "Safe to revoke the old certificate"),
    ],
)
def test_a_predecessor_says_whether_it_is_safe_to_revoke(
    as_alice: Client,
    project: Project,
    credential: Credential,
    old_use: tuple[float, float] | None,
    new_use: tuple[float, float] | None,
    sentence: str,
) -> None:
    successor = make_credential(project, alias="new-one", predecessor=credential)
    for one, hours in ((credential, old_use), (successor, new_use)):
        if hours is not None:
            used(one, first=hours[0], last=hours[1])
    text = text_of(as_alice.get(credential_url("credential", credential)))
    assert sentence in text
    assert "Rotating: replaced by new-one" in text
    assert sentence in text_of(as_alice.get(credential_url("credential", successor)))


def test_an_expired_successor_is_told(as_alice: Client, project: Project, credential: Credential) -> None:
    let_expire(make_credential(project, alias="new-one", predecessor=credential), in_days=-1)
    assert "new-one, which replaces it, has expired" in text_of(as_alice.get(credential_url("credential", credential)))


def test_strangers_and_other_environments_get_404(as_charlie: Client, as_alice: Client, credential: Credential) -> None:
    url = credential_url("credential", credential)
    assert as_charlie.get(url).status_code == 404
    assert as_alice.get(url.replace("/sandbox/", "/production/")).status_code == 404


def test_it_is_read_only(as_alice: Client, credential: Credential) -> None:
    assert as_alice.post(credential_url("credential", credential)).status_code == 405
