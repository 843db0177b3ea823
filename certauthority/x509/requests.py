"""Make a certificate signing request with a key of its own: for demo data and rehearsals, where nobody has a file."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "L": NameOID.LOCALITY_NAME,
    "CN": NameOID.COMMON_NAME,
}
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_private_key(*, rsa_bits: int | None = None) -> PrivateKey:
    """A fresh key: RSA of that many bits, or EC P-256."""
    if rsa_bits is not None:
        return rsa.generate_private_key(65537, rsa_bits)
    return ec.generate_private_key(ec.SECP256R1())


def build_request(subject: Sequence[tuple[str, str]], key: PrivateKey) -> bytes:
    """PEM of a PKCS#10 request for these attributes (label, value), signed with SHA-256 (RFC 2986)."""
    name = x509.Name([x509.NameAttribute(OIDS[label], value) for label, value in subject])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM)
