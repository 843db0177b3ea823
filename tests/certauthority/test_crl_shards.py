"""CRLs spread by serial number: each certificate names one, that one lists it, and openssl believes no other."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from certauthority import crl_shards, readiness, revocation_lists, tasks
from certauthority.authorities import chain_of
from certauthority.lint import lint_certificate, lint_crl
from certauthority.models import Authority, Certificate, RevocationList
from certauthority.records import facts_of
from certauthority.x509.export import pem_bundle
from tests.certauthority.ocsp_client import issue, revoke

pytestmark = pytest.mark.django_db
SHARDS = 4


@pytest.fixture
def sharded(authorities: dict[str, Authority], settings: Settings) -> dict[str, Authority]:
    """The hierarchy with four lists for each issuing CA of clients, all of them published."""
    settings.CRL_SHARDS = SHARDS
    call_command("publish_revocation_lists", if_due=True, verbosity=0)
    return authorities


def serials(crl: RevocationList | None) -> set[int]:
    assert crl is not None
    return {entry.serial_number for entry in x509.load_der_x509_crl(bytes(crl.der))}


def publish(authority: Authority, shard: int = 0) -> RevocationList:
    crl = revocation_lists.publish(authority, shard=shard, now=timezone.now())
    assert crl is not None
    return crl


def shard_of(certificate: Certificate) -> int:
    assert certificate.crl_shard is not None
    return certificate.crl_shard


def issue_in(shard: int) -> Certificate:
    """A certificate that names this list: drawn until one does."""
    for number in range(400):
        certificate = issue(f"{shard}-{number}")
        if certificate.crl_shard == shard:
            return certificate
    raise AssertionError("400 serial numbers, and none for the list")


def test_a_certificate_names_the_list_of_its_serial_number(sharded: dict[str, Authority]) -> None:
    certificate = issue("1")
    shard = int(certificate.serial, 16) % SHARDS + 1
    assert certificate.crl_shard == shard
    assert facts_of(certificate).crl_urls == (f"http://127.0.0.1:8000/ca/developers/{shard}.crl",)
    assert lint_certificate(bytes(certificate.der)) == []


def test_without_shards_it_names_the_full_list(authorities: dict[str, Authority]) -> None:
    certificate = issue("1")
    assert certificate.crl_shard is None
    assert facts_of(certificate).crl_urls == ("http://127.0.0.1:8000/ca/developers.crl",)
    assert [scope.shard for scope in crl_shards.scopes()] == [0] * 4


def test_every_list_is_there_before_a_certificate_names_it(client: Client, sharded: dict[str, Authority]) -> None:
    for name in ("developers", "kmp"):
        for shard in range(1, SHARDS + 1):
            answer = client.get(f"/ca/{name}/{shard}.crl")
            crl = x509.load_der_x509_crl(answer.content)
            point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
            assert point.critical
            assert point.value.full_name == [
                x509.UniformResourceIdentifier(f"http://127.0.0.1:8000/ca/{name}/{shard}.crl")
            ]
            assert len(crl) == 0
            assert lint_crl(answer.content) == []
    assert readiness.problems(now=timezone.now()) == {}
    assert revocation_lists.due(now=timezone.now()) == []


@pytest.mark.parametrize("path", [f"{name}.crl" for name in ("kmp/0", "kmp/5", "kmp/01", "root/1", "nobody/1")])
def test_a_list_that_nothing_names_is_404(path: str, client: Client, sharded: dict[str, Authority]) -> None:
    assert client.get(f"/ca/{path}").status_code == 404


def test_a_list_that_is_not_published_yet_is_503_and_not_ready(
    client: Client, authorities: dict[str, Authority], settings: Settings
) -> None:
    settings.CRL_SHARDS = 2
    assert client.get("/ca/kmp/2.crl").status_code == 503
    assert "KMP CA, list 2 has no valid CRL" in readiness.problems(now=timezone.now())["crl"]
    tasks.sweep_revocations()
    assert client.get("/ca/kmp/2.crl").status_code == 200
    assert readiness.problems(now=timezone.now()) == {}


def test_a_revocation_is_on_its_list_and_by_the_hour_on_the_full_one(sharded: dict[str, Authority]) -> None:
    developers, certificate = sharded["developers"], issue("1")
    shard, serial = shard_of(certificate), int(certificate.serial, 16)
    other = shard % SHARDS + 1
    before = {scope: revocation_lists.current(developers, scope).number for scope in range(SHARDS + 1)}  # type: ignore[union-attr]  # all are published
    revoke(certificate)
    assert [scope.key for scope in revocation_lists.due(now=timezone.now())] == [(developers.pk, shard)]
    tasks.publish_revocation_list(developers.pk, shard)
    assert serials(revocation_lists.current(developers, shard)) == {serial}
    certificate.refresh_from_db()
    assert certificate.on_crl_at is not None
    assert revocation_lists.due(now=timezone.now()) == []
    for untouched in (0, other):
        crl = revocation_lists.current(developers, untouched)
        assert crl is not None
        assert crl.number == before[untouched]
    tasks.publish_revocation_lists()
    assert serials(revocation_lists.current(developers)) == {serial}
    assert serials(revocation_lists.current(developers, other)) == set()


def test_the_full_list_has_what_names_it_at_once_and_all_others(
    sharded: dict[str, Authority], settings: Settings
) -> None:
    developers = sharded["developers"]
    spread = issue("spread")
    settings.CRL_SHARDS = 1
    plain = issue("plain")
    revoke(spread)
    publish(developers, shard_of(spread))
    revoke(plain)
    assert list(revocation_lists.pending(developers)) == [plain]
    tasks.publish_revocation_list(developers.pk)
    assert serials(revocation_lists.current(developers)) == {int(each.serial, 16) for each in (spread, plain)}
    assert serials(revocation_lists.current(developers, shard_of(spread))) == {int(spread.serial, 16)}


def test_what_expired_before_it_was_revoked_is_on_both_lists_and_then_on_none(sharded: dict[str, Authority]) -> None:
    """RFC 5280, 3.3: an entry is on at least one list that is published after the certificate's end."""
    developers, certificate, now = sharded["developers"], issue("1"), timezone.now()
    shard, serial = shard_of(certificate), int(certificate.serial, 16)
    Certificate.objects.filter(pk=certificate.pk).update(not_after=now - timedelta(days=30))
    revoke(certificate)
    found = []
    for hours in (1, 3):
        for scope in (shard, 0):
            for minutes in (0, 10):
                at = now + timedelta(hours=hours, minutes=minutes)
                found.append(serials(revocation_lists.publish(developers, shard=scope, now=at)) == {serial})
    assert found == [True, True, True, True, False, False, False, False]


def test_fewer_shards_later_leave_every_address_right(
    client: Client, sharded: dict[str, Authority], settings: Settings
) -> None:
    developers, certificate = sharded["developers"], issue_in(4)
    for settings.CRL_SHARDS in (2, 1):
        assert shard_of(certificate) == 4
        scopes = [scope.shard for scope in crl_shards.scopes_of(developers)]
        assert scopes == list(range(SHARDS + 1))
        assert issue(f"of-{settings.CRL_SHARDS}").crl_shard in (None, 1, 2)
    revoke(certificate)
    tasks.publish_revocation_lists()
    assert serials(revocation_lists.current(developers, 4)) == {int(certificate.serial, 16)}
    assert client.get("/ca/developers/4.crl").status_code == 200


def test_more_lists_than_this_process_knows_of_are_published_for_what_is_revoked(
    sharded: dict[str, Authority], settings: Settings
) -> None:
    certificate = issue("1")
    RevocationList.objects.filter(shard=shard_of(certificate)).delete()
    settings.CRL_SHARDS = 1
    revoke(certificate)
    tasks.sweep_revocations()
    crl = revocation_lists.current(sharded["developers"], shard_of(certificate))
    assert serials(crl) == {int(certificate.serial, 16)}


def test_numbers_grow_for_each_list_and_none_is_given_twice(sharded: dict[str, Authority]) -> None:
    developers = sharded["developers"]
    Authority.objects.filter(pk=developers.pk).update(crl_number_above=10_000)
    made = [publish(developers, shard) for shard in (1, 2, 0, 1, 2)]
    assert [crl.number for crl in made] == [10_001, 10_002, 10_003, 10_004, 10_005]


def test_a_list_goes_on_naming_the_address_that_it_had(
    sharded: dict[str, Authority], settings: Settings, tmp_path: Path
) -> None:
    """The site has moved: certificates that name the old address must find it in the list."""
    certificate = issue("1")
    revoke(certificate)
    settings.SITE_URL = "https://elsewhere.example"
    crl = publish(sharded["developers"], shard_of(certificate))
    point = x509.load_der_x509_crl(bytes(crl.der)).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert [name.value for name in point.value.full_name or []] == [
        f"http://elsewhere.example/ca/developers/{certificate.crl_shard}.crl",
        f"http://127.0.0.1:8000/ca/developers/{certificate.crl_shard}.crl",
    ]
    assert "certificate revoked" in verified(certificate, crl, tmp_path)


def test_the_next_generation_has_its_lists_before_its_first_certificate(
    client: Client, sharded: dict[str, Authority]
) -> None:
    call_command("create_authorities", next_generation="developers", verbosity=0)
    for shard in range(1, SHARDS + 1):
        assert client.get(f"/ca/developers-g2/{shard}.crl").status_code == 200
        assert client.get(f"/ca/developers/{shard}.crl").status_code == 200
    assert facts_of(issue("1")).crl_urls[0].startswith("http://127.0.0.1:8000/ca/developers-g2/")


def verified(certificate: Certificate, crl: RevocationList, folder: Path) -> str:
    """What openssl says of a certificate with one list, and with nothing that it could fetch."""
    assert certificate.authority is not None
    (folder / "leaf.pem").write_text(facts_of(certificate).pem)
    (folder / "chain.pem").write_text(pem_bundle(chain_of(certificate.authority)))
    pem = subprocess.run(
        ["openssl", "crl", "-inform", "DER"], input=bytes(crl.der), capture_output=True, check=True
    ).stdout
    (folder / "list.pem").write_bytes(pem)
    command = ["openssl", "verify", "-crl_check", "-CAfile", "chain.pem", "-CRLfile", "list.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_openssl_believes_the_list_that_the_certificate_names_and_no_other(
    sharded: dict[str, Authority], tmp_path: Path
) -> None:
    developers, revoked = sharded["developers"], issue("revoked")
    good = issue_in(shard_of(revoked))
    revoke(revoked)
    own = publish(developers, shard_of(revoked))
    other = publish(developers, shard_of(revoked) % SHARDS + 1)
    full = publish(developers)
    assert lint_crl(bytes(own.der)) == []
    assert "certificate revoked" in verified(revoked, own, tmp_path)
    assert "leaf.pem: OK" in verified(good, own, tmp_path)
    for certificate in (revoked, good):
        said = verified(certificate, other, tmp_path)
        assert "OK" not in said
        assert "unable to get certificate CRL" in said or "different CRL scope" in said, said
    # The full list is for every certificate, whatever list that one names (RFC 5280, 6.3.3 (b) (2)).
    assert "certificate revoked" in verified(revoked, full, tmp_path)
    assert "leaf.pem: OK" in verified(good, full, tmp_path)
