"""What the browser makes: every program of its users opens it, and a TLS server lets its bearer in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Page

from portal.models import Credential
from tests.browser.generating import KEY_TYPES, PASSWORD, Keystore, chain_of, create, download_zip
from tests.keystores.readers import (
    Contents,
    read_with_cryptography,
    read_with_java,
    read_with_keytool,
    read_with_node,
    read_with_openssl,
)
from tests.tls_servers import demanding_client_certificates

ALIAS = "Payouts 2027.v1"
FILE_NAME = "Payouts-2027.v1"


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_every_program_opens_the_keystore(form: Page, tmp_path: Path, key_type: str) -> None:
    keystore = create(form, tmp_path, alias=ALIAS, key_type=key_type)
    chain = chain_of(Credential.objects.get())
    assert len(chain) == 3
    read = {
        "openssl": read_with_openssl(keystore.path, PASSWORD),
        "keytool": read_with_keytool(keystore.path, PASSWORD),
        "java": read_with_java(keystore.path, PASSWORD),
        "cryptography": read_with_cryptography(keystore.path, PASSWORD),
        "node": read_with_node(keystore.path, PASSWORD),
    }
    lower = {"keytool", "java"}
    for program, contents in read.items():
        name = {"node": ""}.get(program, ALIAS.lower() if program in lower else ALIAS)
        assert contents == Contents(name, chain, key_matches=True, details=contents.details), program
    assert described_key(keystore) == key_type
    details = read["openssl"].details
    assert "MAC: sha256, Iteration 100000" in details
    assert details.count("PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256") == 2
    assert Credential.objects.get().alias == ALIAS


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_the_zip_holds_the_chain_and_the_encrypted_key(form: Page, tmp_path: Path, key_type: str) -> None:
    keystore = create(form, tmp_path, alias=ALIAS, key_type=key_type)
    files = download_zip(form, tmp_path)
    signing, key = f"{FILE_NAME}-signing.crt", f"{FILE_NAME}-private-key.key"
    assert (keystore.path.name, sorted(files)) == (f"{FILE_NAME}.p12", sorted([signing, key]))
    certificates = x509.load_pem_x509_certificates(files[signing])
    assert [one.public_bytes(Encoding.DER) for one in certificates] == chain_of(Credential.objects.get())
    assert files[key].startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    public = certificates[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert openssl_pkey(files[key], PASSWORD, tmp_path).stdout == public
    assert openssl_pkey(files[key], f"{PASSWORD}x", tmp_path).returncode != 0


@pytest.mark.parametrize("key_type", ["RSA 2048", "EC P-256"])
def test_curl_presents_the_keystore_to_a_server_that_demands_one(form: Page, tmp_path: Path, key_type: str) -> None:
    keystore = create(form, tmp_path, alias=ALIAS, key_type=key_type)
    root = x509.load_der_x509_certificate(chain_of(Credential.objects.get())[-1]).public_bytes(Encoding.PEM)
    with demanding_client_certificates([root], tmp_path) as server:
        command = ["curl", "--silent", "--show-error", "--cacert", str(server.ca_file), server.address]
        identity = ["--cert-type", "P12", "--cert", f"{keystore.path.name}:{PASSWORD}"]
        shown = subprocess.run([*command, *identity], cwd=tmp_path, capture_output=True, check=False)
        assert (shown.returncode, shown.stderr) == (0, b"")
        assert shown.stdout.decode().endswith("-Client-MTF-123456")
        assert server.presented == [keystore.leaf]
        without = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert without.returncode != 0
        assert without.stdout == b""
        assert len(server.refused) == 1


def described_key(keystore: Keystore) -> str:
    """The key in words, as the form's list of key types has it."""
    key = keystore.key
    return f"RSA {key.key_size}" if isinstance(key, rsa.RSAPrivateKey) else f"EC P-{key.key_size}"


def openssl_pkey(pem: bytes, password: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """The public key that openssl finds in an encrypted private key; the password comes by stdin."""
    file = folder / "asked.key"
    file.write_bytes(pem)
    command = ["openssl", "pkey", "-in", str(file), "-passin", "stdin", "-pubout"]
    return subprocess.run(command, input=f"{password}\n".encode(), capture_output=True, check=False)
