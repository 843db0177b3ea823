"""Downloads: four formats that openssl and Java's keytool read, under safe names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.test import Client

from audit.events import Actor
from certauthority.authorities import chain_of
from certauthority.models import Authority, RevocationReason
from certauthority.x509.export import pem_bundle
from portal import revocation
from portal.models import Credential, Project
from tests.factories import make_credential
from tests.portal.credential_pages import credential_url


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="Pay outs.2027")


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def saved(client: Client, credential: Credential, format_name: str, directory: Path) -> Path:
    response = client.get(credential_url("credential_download", credential, format_name))
    assert response.status_code == 200
    name = response["Content-Disposition"].partition('filename="')[2].rstrip('"')
    path = directory / name
    path.write_bytes(response.content)
    return path


@pytest.mark.parametrize(
    ("format_name", "content_type", "file_name"),
    [
        ("pem", "application/x-pem-file", "Pay-outs.2027.pem"),
        ("chain", "application/pem-certificate-chain", "Pay-outs.2027-chain.pem"),
        ("der", "application/pkix-cert", "Pay-outs.2027.cer"),
        ("p7b", "application/x-pkcs7-certificates", "Pay-outs.2027.p7b"),
    ],
)
def test_each_format_is_an_attachment_with_its_type(
    as_bob: Client, credential: Credential, format_name: str, content_type: str, file_name: str
) -> None:
    response = as_bob.get(credential_url("credential_download", credential, format_name))
    assert response["Content-Type"] == content_type
    assert response["Content-Disposition"] == f'attachment; filename="{file_name}"'
    assert response["X-Content-Type-Options"] == "nosniff"


def test_openssl_reads_all_four(as_alice: Client, credential: Credential, tmp_path: Path) -> None:
    common_name = credential.certificate.common_name
    pem, chain, der, p7b = (saved(as_alice, credential, name, tmp_path) for name in ("pem", "chain", "der", "p7b"))
    assert common_name in openssl("x509", "-in", str(pem), "-noout", "-subject")
    assert common_name in openssl("x509", "-in", str(der), "-inform", "DER", "-noout", "-subject")
    names = openssl("pkcs7", "-in", str(p7b), "-inform", "DER", "-print_certs", "-noout")
    assert common_name in names
    assert "Rehearsal Root CA" in names
    assert chain.read_text().count("BEGIN CERTIFICATE") == 3
    first = openssl("x509", "-in", str(chain), "-noout", "-subject")
    assert common_name in first


def test_openssl_verifies_the_certificate_with_the_bundle(
    as_alice: Client, credential: Credential, authorities: dict[str, Authority], tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(pem_bundle(chain_of(authorities["developers"])))
    for name in ("pem", "chain"):
        path = saved(as_alice, credential, name, tmp_path)
        told = openssl("verify", "-purpose", "sslclient", "-CAfile", str(bundle), str(path))
        assert told.strip().endswith(": OK")


def test_keytool_reads_the_bundle(as_alice: Client, credential: Credential, tmp_path: Path) -> None:
    path = saved(as_alice, credential, "p7b", tmp_path)
    done = subprocess.run(
        ["keytool", "-printcert", "-file", str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert credential.certificate.common_name in done.stdout


def test_a_revoked_certificate_can_still_be_downloaded(
    as_alice: Client, credential: Credential, tmp_path: Path
) -> None:
    now = credential.created_at
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=now)
    assert saved(as_alice, credential, "pem", tmp_path).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_other_formats_do_not_exist(as_alice: Client, credential: Credential) -> None:
    assert as_alice.get(credential_url("credential_download", credential, "p12")).status_code == 404


def test_strangers_get_404(as_charlie: Client, credential: Credential) -> None:
    assert as_charlie.get(credential_url("credential_download", credential, "pem")).status_code == 404


def test_a_credential_of_another_environment_is_404(as_alice: Client, credential: Credential) -> None:
    url = credential_url("credential_download", credential, "pem").replace("/sandbox/", "/production/")
    assert as_alice.get(url).status_code == 404
