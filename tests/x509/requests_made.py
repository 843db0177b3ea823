"""Requests made octet by octet, so that they can be as odd as a test needs, and signed with real keys."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certauthority.x509 import der
from certauthority.x509.names import encode_subject
from certauthority.x509.subject_rules import SubjectRequirement

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
SHA1_WITH_RSA = "1.2.840.113549.1.1.5"
ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API", "GB")
GOOD_SUBJECT = REQUIREMENT.example_subject("1700000000")


@cache
def rsa_key(size: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def spki(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def name(*rdns: list[tuple[str, int, bytes]]) -> bytes:
    """A name from RDNs of (type in digits, tag of the value, octets of the value)."""
    return der.write(der.SEQUENCE, b"".join(_rdn(rdn) for rdn in rdns))


def _rdn(attributes: list[tuple[str, int, bytes]]) -> bytes:
    pairs = [der.write(der.SEQUENCE, der.write_oid(oid) + der.write(tag, value)) for oid, tag, value in attributes]
    return der.write(der.SET, b"".join(pairs))


def sign(key: PrivateKey, content: bytes, hash_algorithm: hashes.HashAlgorithm) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), hash_algorithm)
    return key.sign(content, ec.ECDSA(hash_algorithm))


def csr(
    subject: bytes | tuple[tuple[str, str], ...] = GOOD_SUBJECT,
    *,
    key: PrivateKey | None = None,
    version: int = 0,
    attributes: bytes = b"",
    algorithm: str = "",
    parameters: bytes | None = None,
    public_key: bytes = b"",
) -> bytes:
    """The DER of a signed request. What is not given is right."""
    key = key or ec_key()
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    algorithm = algorithm or (SHA256_WITH_RSA if is_rsa else ECDSA_WITH_SHA256)
    parameters = (b"\x05\x00" if is_rsa else b"") if parameters is None else parameters
    subject = subject if isinstance(subject, bytes) else encode_subject(subject)
    content = der.write(der.INTEGER, bytes([version])) + subject + (public_key or spki(key))
    information = der.write(der.SEQUENCE, content + der.write(0xA0, attributes))
    identifier = der.write(der.SEQUENCE, der.write_oid(algorithm) + parameters)
    hash_algorithm = hashes.SHA1() if algorithm == SHA1_WITH_RSA else hashes.SHA256()
    signature = der.write(der.BIT_STRING, b"\x00" + sign(key, information, hash_algorithm))
    return der.write(der.SEQUENCE, information + identifier + signature)


def extension_request(*extensions: tuple[str, bytes]) -> bytes:
    """The attribute that asks for extensions (RFC 2985, 5.4.2), from (type in digits, DER of the value)."""
    listed = b"".join(
        der.write(der.SEQUENCE, der.write_oid(oid) + der.write(der.OCTET_STRING, value)) for oid, value in extensions
    )
    values = der.write(der.SET, der.write(der.SEQUENCE, listed))
    return der.write(der.SEQUENCE, der.write_oid("1.2.840.113549.1.9.14") + values)


def pem(content: bytes, label: str = "CERTIFICATE REQUEST") -> bytes:
    text = base64.encodebytes(content).decode().replace("\n", "")
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()
