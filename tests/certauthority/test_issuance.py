"""Issuing: the profile decides, the request gives key and approved names, and all of it is stored or nothing."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from certauthority import issuance, policy, signers
from certauthority.authorities import chain_of, newest_authority
from certauthority.errors import IssuerEnding, RequestRefused, SerialRepeated, SigningUnavailable
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, PublicKey
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.export import pem_bundle
from certauthority.x509.profile import add_months
from certauthority.x509.requests import PrivateKey, build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement
from certauthority.x509.verdicts import broken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]

REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API", "GB")


def judged(
    *, key: PrivateKey | None = None, holder: str = "acme", unique: str = "1790000000"
) -> policy.RequestJudgement:
    csr = build_request(REQUIREMENT.example_subject(unique), key or new_private_key())
    return policy.judge_request(csr, requirement=REQUIREMENT, holder=holder)


def issue(
    judgement: policy.RequestJudgement | None = None,
    *,
    purpose: AuthorityPurpose = AuthorityPurpose.DEVELOPERS,
    now: datetime | None = None,
) -> Certificate:
    with transaction.atomic():
        return issuance.issue(judgement or judged(), purpose=purpose, now=now or timezone.now())


def test_it_writes_the_profile_and_nothing_of_the_request_but_key_and_names() -> None:
    judgement = judged()
    facts = facts_of(issue(judgement))
    assert judgement.csr is not None
    assert facts.public_key == judgement.csr.public_key
    assert facts.subject.text == "CN=1790000000-Client-MTF-123456,OU=Checkout API,O=Acme Payments Ltd,C=GB"
    assert not facts.is_ca
    assert facts.key_usage == ("digitalSignature",)
    assert facts.extended_key_usage == ("clientAuth",)
    assert facts.subject_alternative_names == ()
    assert facts.crl_urls == ("http://127.0.0.1:8000/ca/developers.crl",)
    assert facts.ca_issuer_urls == ("http://127.0.0.1:8000/ca/developers.crt",)
    assert facts.subject_key_identifier
    assert facts.authority_key_identifier
    assert lint_certificate(facts.der) == []


def test_an_rsa_key_may_also_encipher_keys() -> None:
    facts = facts_of(issue(judged(key=new_private_key(rsa_bits=2048))))
    assert facts.key_usage == ("digitalSignature", "keyEncipherment")


def test_it_never_begins_before_its_ca(authorities: dict[str, Authority]) -> None:
    begin = authorities["developers"].certificate.not_before
    assert facts_of(issue(now=begin + timedelta(minutes=5))).not_before == begin


def test_a_ca_near_its_end_refuses_with_a_sentence_for_staff(authorities: dict[str, Authority]) -> None:
    end = authorities["developers"].certificate.not_after
    issue(judged(unique="1"), now=add_months(end, -13))
    with pytest.raises(IssuerEnding, match="Staff must create the CA's next generation"):
        issue(judged(unique="2"), now=add_months(end, -13) + timedelta(days=2))
    assert Certificate.objects.filter(authority=authorities["developers"], ocsp_responder=None).count() == 1


def test_a_broken_rule_is_refused_and_nothing_is_stored() -> None:
    csr = build_request([("CN", "www.example.com")], new_private_key())
    judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    with pytest.raises(RequestRefused) as refused:
        issue(judgement)
    assert {"dn.cn-pattern", "dn.organisation"} <= {verdict.id for verdict in broken(refused.value.verdicts)}
    assert PublicKey.objects.exclude(holder__startswith="ca:").count() == 0


def test_the_same_key_in_two_companies_is_refused() -> None:
    key = new_private_key()
    issue(judged(key=key, holder="acme"))
    late = judged(key=key, holder="globex", unique="2")
    assert [verdict.id for verdict in broken(late.verdicts)] == ["key.holder"]


def test_a_key_claimed_by_another_company_after_the_judgement_is_refused() -> None:
    key = new_private_key()
    early = judged(key=key, holder="globex", unique="2")
    issue(judged(key=key, holder="acme"))
    with pytest.raises(RequestRefused) as refused:
        issue(early)
    assert [verdict.id for verdict in broken(refused.value.verdicts)] == ["key.holder"]


def test_a_company_may_renew_with_its_own_key() -> None:
    key = new_private_key()
    issue(judged(key=key))
    assert facts_of(issue(judged(key=key, unique="2"))).public_key.fingerprint


def test_a_serial_that_was_given_before_is_refused_by_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = int(issue().serial, 16)
    monkeypatch.setattr(issuance, "new_serial", lambda: taken)
    with pytest.raises(SerialRepeated):
        issue(judged(unique="2"))


def test_without_the_key_nothing_is_issued(settings: Settings, tmp_path: Path) -> None:
    settings.CA_DIRECTORY = tmp_path
    signers.forget_keys()
    with pytest.raises(SigningUnavailable, match="cannot be read"):
        issue()
    assert not Certificate.objects.filter(common_name__startswith="179").exists()


def test_outside_a_transaction_it_refuses_to_work(transactional_db: None) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        issuance.issue(judged(), purpose=AuthorityPurpose.DEVELOPERS, now=timezone.now())


def test_openssl_verifies_it_against_the_bundle(tmp_path: Path) -> None:
    certificate = issue(purpose=AuthorityPurpose.KMP)
    (tmp_path / "leaf.pem").write_text(facts_of(certificate).pem)
    (tmp_path / "bundle.pem").write_text(pem_bundle(chain_of(newest_authority(AuthorityPurpose.KMP))))
    verified = subprocess.run(
        ["openssl", "verify", "-purpose", "sslclient", "-x509_strict", "-CAfile", "bundle.pem", "leaf.pem"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.stdout == "leaf.pem: OK\n", verified.stderr
