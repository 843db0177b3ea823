"""Certificates of the KMP CA: their names are the approved ones, with alternative names or without."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from certauthority import issuance, policy
from certauthority.authorities import chain_of, newest_authority
from certauthority.errors import RequestRefused
from certauthority.lint import lint_certificate
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.alternative_names import read_alternative_names
from certauthority.x509.attribute_rules import AttributeKind, AttributeRule, DnRules
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.export import pem_bundle
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.verdicts import broken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]

K = AttributeKind
RULES = DnRules(
    (
        AttributeRule("C", K.COMPANY, "country", False, 2),
        AttributeRule("L", K.FIXED, "Dublin", False, 128),
        AttributeRule("O", K.COMPANY, "name", False, 64),
        AttributeRule("OU", K.FREE, "Payouts", False, 64),
        AttributeRule("CN", K.PATTERN, "<unique>-Client-<environment>-<cid>", False, 64),
    ),
    "Söhne & Co",
    "123456",
    "IE",
    "MTF",
    ("RSA 2048", "EC P-256"),
)
NAMES = read_alternative_names("Payments.acme.example, bücher.example, xn--wgv71a.jp").names


def judged(*, rsa: bool = False) -> policy.RequestJudgement:
    key = new_private_key(rsa_bits=2048 if rsa else None)
    subject = RULES.example_subject("1790000000")
    return policy.judge_request(build_request(subject, key), requirement=RULES, holder="acme")


def issue(
    judgement: policy.RequestJudgement,
    names: tuple[str, ...] = (),
    purpose: AuthorityPurpose = AuthorityPurpose.KMP,
) -> CertificateFacts:
    with transaction.atomic():
        certificate = issuance.issue(judgement, purpose=purpose, now=timezone.now(), alternative_names=names)
    return facts_of(certificate)


@pytest.mark.parametrize("rsa", [False, True], ids=["EC", "RSA"])
@pytest.mark.parametrize("names", [(), NAMES], ids=["without names", "with names"])
def test_the_linter_finds_nothing(rsa: bool, names: tuple[str, ...]) -> None:
    facts = issue(judged(rsa=rsa), names)
    assert lint_certificate(facts.der) == []
    assert facts.subject_alternative_names == tuple(f"DNS:{name}" for name in names)
    assert facts.extended_key_usage == ("clientAuth",)


def test_fifty_long_names_are_certified_in_their_order() -> None:
    names = tuple(f"{number:02}.{'a' * 60}.{'b' * 60}.{'c' * 60}.example" for number in range(50, 0, -1))
    facts = issue(judged(), names)
    assert facts.subject_alternative_names == tuple(f"DNS:{name}" for name in names)
    assert lint_certificate(facts.der) == []


def test_the_whole_approved_subject_stands_in_the_certificate() -> None:
    assert issue(judged()).subject.text == "CN=1790000000-Client-MTF-123456,OU=Payouts,O=Söhne & Co,L=Dublin,C=IE"


def test_openssl_reads_the_names_and_verifies_the_certificate(tmp_path: Path) -> None:
    (tmp_path / "leaf.pem").write_text(issue(judged(), NAMES).pem)
    (tmp_path / "bundle.pem").write_text(pem_bundle(chain_of(newest_authority(AuthorityPurpose.KMP))))

    def openssl(*words: str) -> str:
        done = subprocess.run(["openssl", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert openssl("verify", "-purpose", "sslclient", "-x509_strict", "-CAfile", "bundle.pem", "leaf.pem") == (
        "leaf.pem: OK\n"
    )
    shown = openssl("x509", "-in", "leaf.pem", "-noout", "-ext", "subjectAltName")
    assert "DNS:payments.acme.example, DNS:xn--bcher-kva.example, DNS:xn--wgv71a.jp" in shown


@pytest.mark.parametrize(
    "names",
    [
        ("*.example.com",),
        ("10.0.0.1",),
        ("A.example",),
        ("bücher.example",),
        ("a.example", "a.example"),
        ("a.example,b.example",),
        ("a.example\n",),
        ("",),
        ("a\x00.example",),
        tuple(f"n{number}.example" for number in range(51)),
    ],
    ids=lambda names: repr(names[0]),
)
def test_names_that_nobody_can_have_approved_are_not_certified(names: tuple[str, ...]) -> None:
    before = Certificate.objects.count()
    with pytest.raises(RequestRefused) as refused:
        issue(judged(), names)
    assert [verdict.id for verdict in broken(refused.value.verdicts)] == ["san.names"]
    assert Certificate.objects.count() == before


def test_the_developers_ca_certifies_no_alternative_names() -> None:
    with pytest.raises(RuntimeError, match="Only the KMP CA"):
        issue(judged(), NAMES, AuthorityPurpose.DEVELOPERS)


def test_a_key_that_the_application_does_not_take_is_refused() -> None:
    judgement = policy.judge_request(
        build_request(RULES.example_subject("1"), new_private_key(rsa_bits=3072)), requirement=RULES, holder="acme"
    )
    with pytest.raises(RequestRefused) as refused:
        issue(judgement)
    (verdict,) = broken(refused.value.verdicts)
    assert (verdict.id, verdict.found, verdict.wanted) == ("key.application", "RSA 3072", "RSA 2048 or EC P-256")
