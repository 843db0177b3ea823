"""Revocation and CRLs: revoked for good, listed soon, numbered upwards."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from audit.events import Actor
from certauthority import issuance, policy, revocation, revocation_lists
from certauthority.authorities import chain_of
from certauthority.crl_shards import Scope
from certauthority.errors import CAError
from certauthority.lint import lint_crl
from certauthority.models import Authority, Certificate, PublicKey, RevocationList, RevocationReason
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.export import pem_bundle
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement
from certauthority.x509.verdicts import broken

pytestmark = pytest.mark.django_db

REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API")
ALICE = Actor("alice@acme.example")


def issue(unique: str = "1", *, now: datetime | None = None) -> Certificate:
    csr = build_request(REQUIREMENT.example_subject(unique), new_private_key())
    judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    with transaction.atomic():
        return issuance.issue(judgement, purpose=AuthorityPurpose.DEVELOPERS, now=now or timezone.now())


def revoke(
    certificate: Certificate,
    reason: RevocationReason = RevocationReason.SUPERSEDED,
    *,
    now: datetime | None = None,
) -> bool:
    return revocation.revoke(certificate, reason=reason, actor=ALICE, now=now or timezone.now())


def listed(crl: RevocationList | None, tmp_path: Path) -> str:
    assert crl is not None
    (tmp_path / "list.crl").write_bytes(bytes(crl.der))
    command = ["openssl", "crl", "-inform", "DER", "-in", "list.crl", "-noout", "-text"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout


def test_it_stores_when_and_why(authorities: dict[str, Authority]) -> None:
    certificate, now = issue(), timezone.now()
    assert revoke(certificate, RevocationReason.AFFILIATION_CHANGED, now=now)
    certificate.refresh_from_db()
    assert certificate.revoked_at == now
    assert certificate.revocation_reason == "affiliationChanged"
    assert list(revocation_lists.pending(authorities["developers"])) == [certificate]


def test_a_second_revocation_changes_nothing(authorities: dict[str, Authority]) -> None:
    certificate, now = issue(), timezone.now()
    revoke(certificate, now=now)
    assert not revoke(certificate, RevocationReason.KEY_COMPROMISE, now=now + timedelta(hours=1))
    certificate.refresh_from_db()
    assert (certificate.revoked_at, certificate.revocation_reason) == (now, "superseded")


def test_another_cas_certificate_cannot_be_revoked_here(authorities: dict[str, Authority]) -> None:
    certificate = issue()
    Certificate.objects.filter(pk=certificate.pk).update(authority=None)
    with pytest.raises(CAError, match="Another CA issued"):
        revoke(certificate)


def test_the_next_crl_lists_it_with_its_reason(authorities: dict[str, Authority], tmp_path: Path) -> None:
    certificate = issue()
    revoke(certificate, RevocationReason.KEY_COMPROMISE)
    crl = revocation_lists.publish(authorities["developers"], now=timezone.now())
    text = listed(crl, tmp_path)
    assert certificate.serial.upper() in text.upper()
    assert "Key Compromise" in text
    certificate.refresh_from_db()
    assert certificate.on_crl_at is not None
    assert not revocation_lists.pending(authorities["developers"]).exists()


def test_openssl_says_revoked(authorities: dict[str, Authority], tmp_path: Path) -> None:
    certificate, other = issue("1"), issue("2")
    revoke(certificate)
    crls = [revocation_lists.publish(authorities[name], now=timezone.now()) for name in ("developers", "root")]
    for number, crl in enumerate(crls):
        assert crl is not None
        assert lint_crl(bytes(crl.der)) == []
        (tmp_path / f"{number}.der").write_bytes(bytes(crl.der))
        pem = subprocess.run(
            ["openssl", "crl", "-inform", "DER", "-in", f"{number}.der"], cwd=tmp_path, capture_output=True, check=True
        )
        with (tmp_path / "trusted.pem").open("ab") as bundle:
            bundle.write(pem.stdout)
    with (tmp_path / "trusted.pem").open("a") as bundle:
        bundle.write(pem_bundle(chain_of(authorities["developers"])))
    for row, said in ((certificate, "certificate revoked"), (other, "OK")):
        (tmp_path / "leaf.pem").write_text(facts_of(row).pem)
        verified = subprocess.run(
            ["openssl", "verify", "-crl_check_all", "-CAfile", "trusted.pem", "leaf.pem"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said in verified.stdout + verified.stderr


def test_numbers_grow_and_next_update_is_a_day_ahead(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    for expected in (2, 3, 4):
        crl = revocation_lists.publish(authorities["kmp"], now=now)
        assert crl is not None
        assert crl.number == expected
        assert crl.next_update - crl.this_update == timedelta(hours=24)


def test_several_messages_for_one_list_make_one(authorities: dict[str, Authority]) -> None:
    revoke(issue())
    developers = authorities["developers"]
    assert revocation_lists.publish(developers, now=timezone.now(), only_if_pending=True) is not None
    assert revocation_lists.publish(developers, now=timezone.now(), only_if_pending=True) is None


def test_an_entry_stays_for_one_crl_after_its_certificates_end(authorities: dict[str, Authority]) -> None:
    developers, now = authorities["developers"], timezone.now()
    revoke(issue(now=now - timedelta(days=390)))
    row = Certificate.objects.get(revoked_at__isnull=False)
    end = row.not_after
    sizes = []
    for moment in (end - timedelta(hours=1), end + timedelta(hours=1), end + timedelta(hours=2)):
        crl = revocation_lists.publish(developers, now=moment)
        assert crl is not None
        sizes.append(crl.entries)
    assert sizes == [1, 1, 0]


def test_old_crls_are_not_kept_for_ever(authorities: dict[str, Authority]) -> None:
    for _ in range(revocation_lists.KEPT + 5):
        revocation_lists.publish(authorities["root"], now=timezone.now())
    assert authorities["root"].revocation_lists.count() == revocation_lists.KEPT + 1


def test_what_is_due(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    assert revocation_lists.due(now=now) == []
    assert len(revocation_lists.due(now=now + timedelta(hours=13))) == 4
    revoke(issue())
    assert revocation_lists.due(now=now) == [Scope(authorities["developers"])]


def test_a_compromised_key_is_never_accepted_again(authorities: dict[str, Authority]) -> None:
    key = new_private_key()
    csr = build_request(REQUIREMENT.example_subject("2"), key)
    judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    assert judgement.csr is not None
    fingerprint = judgement.csr.public_key.fingerprint
    revocation.report_compromise(fingerprint, holder="acme", actor=ALICE, now=timezone.now())
    assert PublicKey.objects.get(pk=fingerprint).compromised_at is not None
    again = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    assert [verdict.id for verdict in broken(again.verdicts)] == ["key.compromised"]
