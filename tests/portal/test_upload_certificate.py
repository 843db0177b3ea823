"""`Upload mTLS certificate`: those of the KMP CA and of trusted CAs are accepted, others refused with their reasons."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import transaction
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from certauthority import issuance, policy, revocation, trust
from certauthority.authorities import chain_of
from certauthority.models import Authority, Certificate, RevocationReason, TrustedAuthority
from certauthority.models.authority import AuthorityPurpose
from certauthority.x509.export import pem, pem_bundle
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from portal.models import Credential, CredentialMethod, Project
from portal.requirements import holder_of
from tests.connect.factories import grant_access
from tests.factories import make_credential, make_csr
from tests.page_text import text_of
from tests.portal.credential_pages import (
    PRIVATE_KEY,
    SENTENCE,
    credential_url,
    file_of,
    key_lines,
    page_url,
    sent,
)
from tests.portal.foreign_ca import ForeignCa

STAFF = Actor("staff@rehearsal.example")


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def url(project: Project) -> str:
    return page_url("upload_certificate", project)


@pytest.fixture
def trusted_ca(db: None) -> ForeignCa:
    ca = ForeignCa()
    trust.add(ca.pem, note="", actor=STAFF, now=timezone.now())
    return ca


def from_kmp(project: Project) -> Certificate:
    """A client certificate that the KMP CA issued to the project's company."""
    csr = build_request([("O", "Acme Payments Ltd"), ("CN", "MTF XBS 1")], new_private_key())
    judgement = policy.judge_request(csr, requirement=None, holder=holder_of(project))
    with transaction.atomic():
        return issuance.issue(judgement, purpose=AuthorityPurpose.KMP, now=timezone.now())


def upload(client: Client, url: str, content: bytes | str, **fields: str) -> str:
    return text_of(client.post(url, sent(certificate_file=file_of(content, "c.pem"), **fields), follow=True))


def test_the_form_has_its_labels_and_leads_to_the_trusted_cas(as_alice: Client, url: str) -> None:
    page = as_alice.get(url)
    text = text_of(page)
    for word in ("Certificate alias", "Certificate file", "Add certificate", "Leads to a trusted CA"):
        assert word in text
    assert 'href="/trusted-cas/"' in page.content.decode()


@pytest.mark.parametrize("as_pem", [True, False])
def test_a_certificate_of_the_kmp_ca_is_accepted(as_alice: Client, url: str, project: Project, as_pem: bool) -> None:
    der = bytes(from_kmp(project).der)
    text = upload(as_alice, url, pem(der) if as_pem else der)
    assert "payouts was added." in text
    credential = Credential.objects.get()
    assert credential.method == CredentialMethod.UPLOADED_CERTIFICATE
    assert "KMP CA" in text


def test_the_kmp_certificate_with_its_chain_is_accepted(
    as_alice: Client, url: str, project: Project, authorities: dict[str, Authority]
) -> None:
    chain = chain_of(authorities["kmp"])
    assert "payouts was added." in upload(as_alice, url, pem_bundle([*chain, bytes(from_kmp(project).der)]))


def test_a_certificate_of_a_ca_that_staff_trust_is_accepted(as_alice: Client, url: str, trusted_ca: ForeignCa) -> None:
    text = upload(as_alice, url, trusted_ca.client_certificate())
    assert "payouts was added." in text
    assert "Elsewhere Root" in text
    page = as_alice.get(credential_url("credential", Credential.objects.get()))
    assert "Root: Elsewhere Root" in text_of(page)


def test_its_chain_is_downloaded_with_it(as_alice: Client, url: str, trusted_ca: ForeignCa) -> None:
    upload(as_alice, url, trusted_ca.client_certificate())
    chain = as_alice.get(credential_url("credential_download", Credential.objects.get(), "chain"))
    assert chain.content.count(b"BEGIN CERTIFICATE") == 2
    assert trusted_ca.pem.strip() in chain.content


def test_one_of_another_ca_is_refused_with_the_reason(as_alice: Client, url: str) -> None:
    text = upload(as_alice, url, ForeignCa().client_certificate(), alias="kept")
    assert "trusted CA" in text
    assert "Broken Found" in text
    assert "Choose the file again: browsers do not keep it." in text
    assert not Credential.objects.exists()


def test_a_ca_that_was_disabled_is_trusted_no_more(as_alice: Client, url: str, trusted_ca: ForeignCa) -> None:
    row = TrustedAuthority.objects.get(common_name="Elsewhere Root")
    trust.change(row, enabled=False, note="", actor=STAFF, now=timezone.now())
    upload(as_alice, url, trusted_ca.client_certificate())
    assert not Credential.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"begins_in_days": -400}, "cert.expired"),
        ({"begins_in_days": 5}, "cert.not-yet-valid"),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "cert.purpose"),
        ({"key": ec.generate_private_key(ec.SECP521R1())}, "key.curve"),
    ],
)
def test_each_wrong_thing_has_a_rule_of_its_own(
    as_alice: Client, url: str, trusted_ca: ForeignCa, wrong: dict[str, object], rule: str
) -> None:
    content = trusted_ca.client_certificate(**wrong)  # type: ignore[arg-type]  # varies by case
    body = as_alice.post(url, sent(certificate_file=file_of(content))).content.decode()
    assert f'<li class="bad" data-rule="{rule}">' in body
    assert not Credential.objects.exists()


def test_a_root_alone_is_refused(as_alice: Client, url: str, trusted_ca: ForeignCa) -> None:
    assert "only a root certificate" in upload(as_alice, url, trusted_ca.pem)


def test_a_revoked_certificate_of_ours_is_refused(as_alice: Client, url: str, project: Project) -> None:
    certificate = from_kmp(project)
    now = timezone.now()
    revocation.revoke(certificate, reason=RevocationReason.SUPERSEDED, actor=STAFF, now=now)
    assert "revoked on" in upload(as_alice, url, bytes(certificate.der))
    assert not Credential.objects.exists()


def test_the_twin_is_named(as_alice: Client, url: str, project: Project, trusted_ca: ForeignCa) -> None:
    upload(as_alice, url, trusted_ca.client_certificate(), alias="first-one")
    text = upload(as_alice, url, trusted_ca.client_certificate(), alias="second-one")
    assert "Duplicate certificate" in text
    assert "first-one" in text
    assert Credential.objects.count() == 1


def test_a_csr_is_named(as_alice: Client, url: str, project: Project) -> None:
    assert "This is a CSR, and a certificate is needed here." in upload(as_alice, url, make_csr(project))


def test_a_private_key_is_named_and_not_shown(
    as_alice: Client, url: str, trusted_ca: ForeignCa, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    content = trusted_ca.client_certificate().decode() + PRIVATE_KEY
    response = as_alice.post(url, sent(certificate_file=file_of(content)))
    assert SENTENCE in text_of(response)
    for line in key_lines():
        assert line not in response.content.decode()
        assert line not in caplog.text
    assert not Credential.objects.exists()


def test_a_large_file_is_refused_by_its_size(as_alice: Client, url: str) -> None:
    assert "at most 256 KiB are taken" in upload(as_alice, url, b"x" * 300_000)


def test_the_same_form_sent_twice_adds_once(as_alice: Client, url: str, trusted_ca: ForeignCa) -> None:
    form, content = sent(), trusted_ca.client_certificate()
    answers = [as_alice.post(url, {**form, "certificate_file": file_of(content)}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Credential.objects.count() == 1


def test_our_own_developers_ca_is_not_on_the_list(as_alice: Client, url: str, project: Project) -> None:
    der = bytes(make_credential(project).certificate.der)
    upload(as_alice, url, der)
    assert Credential.objects.count() == 1


def test_strangers_get_404_and_readers_403(as_charlie: Client, as_bob: Client, url: str, trusted_ca: ForeignCa) -> None:
    content = trusted_ca.client_certificate()
    for client, status in ((as_charlie, 404), (as_bob, 403)):
        assert client.get(url).status_code == status
        assert client.post(url, sent(certificate_file=file_of(content))).status_code == status
    assert not Credential.objects.exists()


def test_other_methods_are_refused(as_alice: Client, url: str) -> None:
    assert as_alice.put(url).status_code == 405


def test_the_seam_is_explained_and_officers_get_the_way_to_kmp(url: str, alice: User, as_alice: Client) -> None:
    page = as_alice.get(url)
    assert "a security officer of your company downloads it in KMP" in text_of(page)
    assert "change the unique part of the name, such as the epoch time" in text_of(page)
    assert '<a href="/kmp/">KMP</a>' not in page.content.decode()
    grant_access(alice)
    assert '<a href="/kmp/">KMP</a>' in as_alice.get(url).content.decode()
