"""Authorities and certificates for tests: good ones by our own builder, odd ones by the library's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certauthority.x509.building import build_certificate, verify_certificate
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.export import pem_bundle
from certauthority.x509.names import encode_subject
from certauthority.x509.profile import Profile, add_months, new_serial
from certauthority.x509.signing import SigningKey

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
BEGIN = NOW - timedelta(days=365)
ROOT = Profile("root", True, 1, ("keyCertSign", "cRLSign"), (), 300)
ISSUING = Profile(
    "issuing",
    True,
    0,
    ("keyCertSign", "cRLSign"),
    (),
    180,
    "http://127.0.0.1:8000/ca/root.crl",
    "http://127.0.0.1:8000/root.crt",
)
CLIENT = Profile(
    "client",
    False,
    None,
    ("digitalSignature",),
    ("clientAuth",),
    13,
    "http://127.0.0.1:8000/ca/developers.crl",
    "http://127.0.0.1:8000/ca/developers.crt",
    "http://127.0.0.1:8000/ocsp",
)
SERVER = Profile("server", False, None, ("digitalSignature",), ("serverAuth",), 6)


@cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A key for each number."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def p384_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP384R1())


@cache
def rsa_key(size: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


def spki(key: SigningKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: SigningKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Authority:
    """A CA of a test."""

    facts: CertificateFacts
    key: SigningKey

    @property
    def der(self) -> bytes:
        return self.facts.der


def authority(
    common_name: str,
    key: SigningKey,
    *,
    parent: Authority | None = None,
    begin: datetime = BEGIN,
    end: datetime | None = None,
    profile: Profile | None = None,
) -> Authority:
    """A CA under ``parent``, or a root, with as long a life as its profile allows."""
    profile = profile or (ISSUING if parent else ROOT)
    if end is None:
        end = add_months(begin, profile.months)
        end = min(end, parent.facts.not_after) if parent else end
    wanted: dict[str, Any] = {
        "profile": profile,
        "subject": encode_subject([("O", "Test CAs"), ("CN", common_name)]),
        "public_key": spki(key),
        "issuer": parent.facts if parent else None,
        "serial": new_serial(),
        "not_before": begin,
        "not_after": end,
    }
    der = build_certificate(issuer_key=parent.key if parent else key, **wanted)
    verify_certificate(der, **wanted)
    return Authority(read_certificate(der), key)


@cache
def root() -> Authority:
    return authority("Test Root", ec_key(1))


@cache
def kmp() -> Authority:
    return authority("Test KMP CA", ec_key(2), parent=root())


@cache
def developers() -> Authority:
    return authority("Test Developers CA", ec_key(3), parent=root())


def client(
    issuer: Authority,
    *,
    key: SigningKey | None = None,
    begin: datetime = NOW - timedelta(hours=1),
    end: datetime | None = None,
    profile: Profile = CLIENT,
    common_name: str = "1700000000-Client-MTF-123456",
    dns_names: Sequence[str] = (),
) -> bytes:
    """A certificate by our own builder."""
    return build_certificate(
        profile=profile,
        subject=encode_subject([("C", "GB"), ("O", "Acme Payments Ltd"), ("OU", "Checkout API"), ("CN", common_name)]),
        public_key=spki(key or ec_key()),
        issuer=issuer.facts,
        issuer_key=issuer.key,
        serial=new_serial(),
        not_before=begin,
        not_after=end or add_months(begin, profile.months),
        dns_names=dns_names,
    )


CLIENT_AUTH = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
CA_TRUE = (x509.BasicConstraints(True, None), True)


def odd(
    issuer: Authority | None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (CLIENT_AUTH,),
    *,
    key: SigningKey | None = None,
    subject: x509.Name | None = None,
    issuer_name: x509.Name | None = None,
    begin: datetime = NOW - timedelta(days=1),
    end: datetime = NOW + timedelta(days=100),
) -> bytes:
    """A certificate by the library's builder, with these extensions and no others; self-signed without an issuer."""
    key = key or ec_key()
    subject = name("Odd") if subject is None else subject
    signer_name = x509.Name.from_bytes(issuer.facts.subject.der) if issuer else subject
    builder = (
        x509.CertificateBuilder(issuer_name=issuer_name or signer_name, subject_name=subject)
        .public_key(key.public_key())
        .serial_number(new_serial())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer.key if issuer else key, SHA256()).public_bytes(Encoding.DER)


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def odd_authority(
    common_name: str, key: SigningKey, extensions: Sequence[tuple[x509.ExtensionType, bool]]
) -> Authority:
    """A self-signed CA with these extensions and no others."""
    return Authority(read_certificate(odd(None, extensions, key=key, subject=name(common_name))), key)


def pem(*ders: bytes) -> bytes:
    """The certificates as one PEM file."""
    return pem_bundle(ders).encode()
