"""The issuing CA is rotated: both generations are served and verified, each by its own chain, CRL and OCSP."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.x509 import ocsp
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from certauthority import readiness, revocation_lists
from certauthority.models import Authority, Certificate, TrustedAuthority
from certauthority.records import facts_of
from certauthority.x509.export import pem_bundle
from tests.certauthority.ocsp_client import issue, request_for, revoke
from tests.factories import make_credential, make_project
from tests.gateway.asking import ask, call_with, chain_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(authorities: dict[str, Authority]) -> tuple[Certificate, Certificate]:
    """A certificate of the first generation, and one that was issued after the second took over."""
    old = issue("old")
    call_command("create_authorities", next_generation="developers", verbosity=0)
    return old, issue("new")


def verified(certificate: Certificate, name: str, directory: Path, client: Client) -> str:
    """What openssl says of it, with nothing but what the addresses of its CA serve."""
    bundle = client.get(f"/ca/{name}.pem").content.decode()
    pems = bundle.split("-----END CERTIFICATE-----\n")
    issuer, root = (f"{pem}-----END CERTIFICATE-----\n" for pem in pems[:2])
    files = {"leaf": pem_bundle([bytes(certificate.der)]), "issuer": issuer, "root": root}
    for part, text in files.items():
        (directory / f"{part}.pem").write_text(text)
    crls = ""
    for crl in (name, "root"):
        der = client.get(f"/ca/{crl}.crl").content
        command = ["openssl", "crl", "-inform", "DER"]
        crls += subprocess.run(command, input=der, capture_output=True, check=True).stdout.decode()
    (directory / "crls.pem").write_text(crls)
    paths = [str(directory / f"{part}.pem") for part in ("root", "issuer", "crls", "leaf")]
    flags = ["-crl_check_all", "-purpose", "sslclient", "-CAfile", paths[0], "-untrusted", paths[1]]
    done = subprocess.run(
        ["openssl", "verify", *flags, "-CRLfile", paths[2], paths[3]], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_each_certificate_is_verified_by_its_own_generation(
    both: tuple[Certificate, Certificate], client: Client, tmp_path: Path
) -> None:
    old, new = both
    assert old.authority is not None
    assert new.authority is not None
    assert (old.authority.name, new.authority.name) == ("developers", "developers-g2")
    for certificate in both:
        assert certificate.authority is not None
        assert "leaf.pem: OK" in verified(certificate, certificate.authority.name, tmp_path, client)
    assert "developers-g2.crl" in " ".join(facts_of(new).crl_urls)
    assert readiness.problems(now=timezone.now()) == {}


def test_revoking_reaches_the_list_of_its_own_generation(
    both: tuple[Certificate, Certificate], client: Client, tmp_path: Path
) -> None:
    old, new = both
    revoke(old)
    for authority in Authority.objects.all():
        revocation_lists.publish(authority, now=timezone.now())
    assert "certificate revoked" in verified(old, "developers", tmp_path, client)
    assert "leaf.pem: OK" in verified(new, "developers-g2", tmp_path, client)


def test_ocsp_answers_for_both(both: tuple[Certificate, Certificate], client: Client) -> None:
    for certificate in both:
        assert certificate.authority is not None
        body = request_for(certificate)
        answer = client.post(
            f"/ocsp/{certificate.authority.name}", body, content_type="application/ocsp-request"
        ).content
        assert ocsp.load_der_ocsp_response(answer).certificate_status == ocsp.OCSPCertStatus.GOOD


def test_the_endpoint_takes_both(authorities: dict[str, Authority]) -> None:
    project = make_project()
    old = make_credential(project, alias="old").certificate
    call_command("create_authorities", next_generation="developers", verbosity=0)
    new = make_credential(project, alias="new").certificate
    assert old.authority_id != new.authority_id
    for certificate in (old, new):
        assert ask(call_with(*chain_of(certificate))).status == 200


def test_a_new_kmp_ca_is_trusted_beside_the_old_one(authorities: dict[str, Authority]) -> None:
    call_command("create_authorities", next_generation="kmp", verbosity=0)
    names = TrustedAuthority.objects.filter(enabled=True, authority__isnull=False).values_list("common_name", flat=True)
    assert set(names) == {"Rehearsal KMP CA", "Rehearsal KMP CA G2"}
