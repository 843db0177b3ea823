"""Clients with odd certificates: each is one PEM file with a key and what is shown for it."""

from __future__ import annotations

import re
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certauthority.x509.export import pem_bundle
from tests.gateway.odd_certificates import odd_certificate
from tests.portal.foreign_ca import ForeignCa

OPENSSL_REQUEST = """
[req]
distinguished_name = name
[name]
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""
COMMENT = x509.ObjectIdentifier("2.16.840.1.113730.1.13")


def file_of(folder: Path, key: ec.EllipticCurvePrivateKey, chain: list[bytes]) -> Path:
    """Key and chain as one PEM file."""
    path = folder / "client.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + pem_bundle(chain).encode())
    return path


def made_by_openssl(folder: Path, *options: str) -> Path:
    """A self-signed client certificate with its key, as the library that makes the others would not sign it."""
    (folder / "openssl.cnf").write_text(OPENSSL_REQUEST)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=odd"]
    command += ["-config", str(folder / "openssl.cnf"), "-extensions", "client"]
    subprocess.run([*command, *options], check=True, capture_output=True)
    path = folder / "client.pem"
    path.write_bytes(key.read_bytes() + certificate.read_bytes())
    return path


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def large(folder: Path, octets: int) -> Path:
    """A certificate that is so large through a comment."""
    key, ca = ec_key(), ForeignCa()
    builder = x509.CertificateBuilder(
        issuer_name=ca.name,
        subject_name=ca.name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=ca.certificate.not_valid_before_utc,
        not_valid_after=ca.certificate.not_valid_after_utc,
        extensions=[],
    )
    comment = x509.UnrecognizedExtension(COMMENT, b"\x16\x83" + octets.to_bytes(3, "big") + b"a" * octets)
    certificate = builder.add_extension(comment, critical=False).sign(ca.key, SHA256())
    return file_of(folder, key, [certificate.public_bytes(Encoding.DER)])


def several(folder: Path, count: int) -> Path:
    key, ca = ec_key(), ForeignCa()
    others = [ForeignCa(f"Look-alike {number}").certificate.public_bytes(Encoding.DER) for number in range(count - 1)]
    return file_of(folder, key, [odd_certificate(ca, key=key), *others])


def odd(folder: Path, **how: object) -> Path:
    key = ec_key()
    return file_of(folder, key, [odd_certificate(ForeignCa(), key=key, **how)])  # type: ignore[arg-type]  # Its own words.


ODD: dict[str, Callable[[Path], Path]] = {
    "self-signed": lambda folder: made_by_openssl(folder, "-newkey", "rsa:2048"),
    "SHA-1": lambda folder: made_by_openssl(folder, "-newkey", "rsa:2048", "-sha1"),
    "1024 bits": lambda folder: made_by_openssl(folder, "-newkey", "rsa:1024", "-sha1"),
    "MD5": lambda folder: made_by_openssl(folder, "-newkey", "rsa:2048", "-md5"),
    "a CA": lambda folder: odd(folder, is_ca=True),
    "expired": lambda folder: odd(folder, begins_in_days=-20, ends_in_days=-10),
    "not yet valid": lambda folder: odd(folder, begins_in_days=10),
    "10 certificates": lambda folder: several(folder, 10),
    "64 KiB": lambda folder: large(folder, 64 * 1024),
}


def chain_in(file: Path) -> list[str]:
    """The certificates of a PEM file as hexadecimal DER."""
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", file.read_text(), re.DOTALL)
    return [ssl.PEM_cert_to_DER_cert(block).hex() for block in blocks]
