"""The CA hierarchy: created once, sound, and with a next generation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.models import AuditEvent
from certauthority import signers
from certauthority.authorities import chain_of, create_hierarchy, create_next_generation, newest_authority
from certauthority.errors import CAError
from certauthority.models import Authority, Certificate, PublicKey, TrustedAuthority
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.profile import add_months

pytestmark = pytest.mark.django_db


def test_it_creates_a_root_and_three_issuing_cas(authorities: dict[str, Authority]) -> None:
    assert set(authorities) == {"root", "developers", "kmp", "services"}
    root = facts_of(authorities["root"].certificate)
    assert root.is_self_signed
    for name in ("developers", "kmp", "services"):
        issuing = facts_of(authorities[name].certificate)
        assert issuing.issuer == root.subject
        assert issuing.is_ca
        assert issuing.key_usage == ("keyCertSign", "cRLSign")
        assert issuing.crl_urls == ("http://127.0.0.1:8000/ca/root.crl",)
    assert AuditEvent.objects.filter(action="authority.created").count() == 4


def test_the_root_lives_25_years_and_issuing_cas_15(authorities: dict[str, Authority]) -> None:
    root, developers = facts_of(authorities["root"].certificate), facts_of(authorities["developers"].certificate)
    assert root.not_after == add_months(root.not_before, 25 * 12)
    assert developers.not_after == add_months(developers.not_before, 15 * 12)
    assert root.not_before < timezone.now() - timedelta(days=5 * 365 - 2)


def test_a_second_call_creates_nothing(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    assert create_hierarchy(begin=now, now=now) == []
    assert Certificate.objects.count() == 8, "four CAs and their OCSP responders"


def test_only_the_kmp_ca_is_trusted_from_the_start(authorities: dict[str, Authority]) -> None:
    trusted = TrustedAuthority.objects.get()
    assert trusted.authority == authorities["kmp"]
    assert bytes(trusted.der) == bytes(authorities["kmp"].certificate.der)


def test_the_keys_of_our_cas_are_taken(authorities: dict[str, Authority]) -> None:
    assert PublicKey.objects.get(holder="ca:root").fingerprint == authorities["root"].certificate.public_key_fingerprint


def test_the_chain_ends_with_the_root(authorities: dict[str, Authority]) -> None:
    chain = chain_of(authorities["kmp"])
    assert chain == [bytes(authorities[name].certificate.der) for name in ("kmp", "root")]


def test_the_next_generation_takes_over(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    successor = create_next_generation(AuthorityPurpose.DEVELOPERS, now=now)
    assert (successor.name, successor.label) == ("developers-g2", "Developers CA G2")
    assert newest_authority(AuthorityPurpose.DEVELOPERS) == successor
    assert facts_of(successor.certificate).subject.common_name == "Rehearsal Developers CA G2"
    assert facts_of(successor.certificate).not_before <= now


def test_the_root_has_no_next_generation(authorities: dict[str, Authority]) -> None:
    with pytest.raises(CAError, match="Only issuing CAs"):
        create_next_generation(AuthorityPurpose.ROOT, now=timezone.now())


def test_without_a_hierarchy_the_error_says_what_to_run(db: None) -> None:
    with pytest.raises(CAError, match="create_authorities"):
        newest_authority(AuthorityPurpose.DEVELOPERS)


def test_the_command_creates_and_proves(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_authorities", demo=True)
    assert "Created Developers CA (developers)." in capsys.readouterr().out
    call_command("create_authorities", next_generation="kmp")
    assert "Created KMP CA G2 (kmp-g2)." in capsys.readouterr().out


def test_keys_are_encrypted_and_private(authorities: dict[str, Authority]) -> None:
    for name in authorities:
        path = signers.key_path(name)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
