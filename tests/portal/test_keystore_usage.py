"""The lines that use a keystore are run as they stand, against a server that lets nobody in without a certificate."""

from __future__ import annotations

import html
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    pkcs12,
)
from django.test import Client
from pytest_django import Settings

from certauthority.chains import issuers_of
from certauthority.models import Authority
from certauthority.x509.export import pem, pem_bundle
from certauthority.x509.requests import PrivateKey, new_private_key
from portal.models import Credential, CredentialMethod, Project
from portal.try_it import keystore_commands
from tests import shown_commands
from tests.factories import make_credential, make_csr
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, made_in_browser, page_url
from tests.tls_servers import TlsServer, demanding_client_certificates

# Every kind of character that a shell, curl or Java might take for its own.
PASSWORD = 'a "b" $HOME `c`: d\\e!\'f#%&*'
ALIAS = "pay outs (2027)"
NAME = "pay-outs-2027"
BUNDLE = "rehearsal-services.pem"


@pytest.fixture
def key() -> PrivateKey:
    return new_private_key()


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project, key: PrivateKey) -> Credential:
    return make_credential(project, alias=ALIAS, csr=make_csr(project, key=key), method=CredentialMethod.GENERATED_KEY)


@pytest.fixture
def keystore(credential: Credential, key: PrivateKey, tmp_path: Path) -> Path:
    """The keystore as a browser makes it, in a directory of its own."""
    leaf, *issuers = (
        x509.load_der_x509_certificate(der)
        for der in (bytes(credential.certificate.der), *issuers_of(credential.certificate))
    )
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(100_000)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(SHA256())
        .build(PASSWORD.encode())
    )
    path = tmp_path / "mine" / f"{NAME}.p12"
    path.parent.mkdir()
    path.write_bytes(pkcs12.serialize_key_and_certificates(ALIAS.encode(), key, leaf, issuers, encryption))
    return path


@pytest.fixture
def pem_files(credential: Credential, keystore: Path, key: PrivateKey) -> None:
    """What the ZIP holds, beside the keystore."""
    chain = [bytes(credential.certificate.der), *issuers_of(credential.certificate)]
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    keystore.with_name(f"{NAME}-signing.crt").write_text(pem_bundle(chain))
    keystore.with_name(f"{NAME}-private-key.key").write_bytes(encrypted)


@pytest.fixture
def server(authorities: dict[str, Authority], tmp_path: Path) -> Iterator[TlsServer]:
    """It trusts the root alone, so a client must send the issuing CA's certificate as well."""
    root = pem(bytes(authorities["root"].certificate.der)).encode()
    with demanding_client_certificates([root], tmp_path) as listening:
        yield listening


@pytest.fixture(autouse=True)
def _endpoint(server: TlsServer, settings: Settings) -> None:
    """The server stands where the endpoint does."""
    settings.GATEWAY_URLS = {**settings.GATEWAY_URLS, "sandbox": server.address.rstrip("/")}


def line_for(label: str, credential: Credential) -> str:
    (line,) = (line.text for line in keystore_commands(credential) if line.label == label)
    return line


def run(
    label: str, credential: Credential, server: TlsServer, folder: Path, *, password: str = PASSWORD
) -> subprocess.CompletedProcess[str]:
    """Run the line as it stands, with the server's own certificate under the name of the bundle."""
    shutil.copy(server.ca_file, folder / BUNDLE)
    return shown_commands.run(label, line_for(label, credential), folder, password=password)


@pytest.mark.usefixtures("pem_files")
@pytest.mark.parametrize("label", shown_commands.CLIENTS)
def test_the_line_presents_the_certificate(
    label: str, credential: Credential, keystore: Path, server: TlsServer
) -> None:
    done = run(label, credential, server, keystore.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(credential.certificate.common_name)
    assert server.presented == [bytes(credential.certificate.der)]


@pytest.mark.usefixtures("pem_files")
@pytest.mark.parametrize("label", shown_commands.CLIENTS)
def test_with_another_password_nothing_is_presented(
    label: str, credential: Credential, keystore: Path, server: TlsServer
) -> None:
    assert run(label, credential, server, keystore.parent, password="another password").returncode != 0
    assert server.presented == []


def test_openssl_makes_the_pem_files_that_the_python_line_needs(
    credential: Credential, keystore: Path, server: TlsServer
) -> None:
    line = line_for("PEM files by openssl", credential)
    assert shown_commands.run("PEM files by openssl", line, keystore.parent, password=PASSWORD).returncode == 0
    assert "ENCRYPTED PRIVATE KEY" in keystore.with_name(f"{NAME}-private-key.key").read_text()
    done = run("Python", credential, server, keystore.parent)
    assert (done.returncode, done.stdout.strip()) == (0, credential.certificate.common_name), done.stderr


def test_without_a_certificate_the_server_lets_nobody_in(server: TlsServer) -> None:
    command = ["curl", "--silent", "--cacert", str(server.ca_file), server.address]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0
    assert server.presented == []


def test_every_line_takes_the_password_from_the_environment_and_names_the_files(credential: Credential) -> None:
    lines = keystore_commands(credential)
    labels = ["curl", "Python", "Java", "Node", "openssl", ".NET", "PEM files by openssl"]
    assert [line.label for line in lines] == labels
    for line in lines:
        assert "KEYSTORE_PASSWORD" in line.text
        assert line.mark in line.text
        assert f"{NAME}.p12" in line.text or line.label in ("Python", "openssl")
        assert BUNDLE in line.text or line.label == "PEM files by openssl"
    assert f'LoadPkcs12FromFile("{NAME}.p12", password)' in lines[5].text
    assert f'"{NAME}-signing.crt", "{NAME}-private-key.key"' in lines[1].text


def test_the_pages_of_the_certificate_and_the_answer_show_the_same_lines(
    as_alice: Client, credential: Credential, project: Project
) -> None:
    pages = [credential_url("credential", credential), page_url("credentials", project, new=credential.pk)]
    for page in pages:
        shown = as_alice.get(page)
        text, body = text_of(shown), html.unescape(shown.content.decode())
        for line in keystore_commands(credential):
            assert f'data-copy="{line.text}"' in body
        assert f"{NAME}.p12 The keystore that the browser made." in text
        assert f"{BUNDLE} The CAs that the endpoint’s own certificate leads to" in text
        assert f"{NAME}-chain.pem" not in text
    answer = as_alice.post(page_url("generate_key", project), made_in_browser(project, alias="other")).json()
    other = Credential.objects.get(alias="other")
    expected = [{"label": line.label, "text": line.text, "mark": line.mark} for line in keystore_commands(other)]
    assert answer["usage"] == expected


def test_a_key_of_ones_own_keeps_its_lines(as_alice: Client, project: Project, credential: Credential) -> None:
    own = make_credential(project, alias="own-key")
    text = text_of(as_alice.get(credential_url("credential", own)))
    assert "own-key.key The private key that you made" in text
    assert "KEYSTORE_PASSWORD" in text
    assert "the keystore that the browser made" not in text
