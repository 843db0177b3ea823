"""Client certificates as nobody should make them, as DER."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from asn1crypto import x509 as asn1
from asn1crypto.core import Null, OctetBitString
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.utils import timezone

from tests.portal.foreign_ca import ForeignCa, name

CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
_ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def odd_certificate(
    issuer: ForeignCa | None,
    *,
    key: Any = None,
    subject: x509.Name | None = None,
    purposes: tuple[x509.ObjectIdentifier, ...] = CLIENT,
    is_ca: bool = False,
    hash_algorithm: Any = None,
    begins_in_days: int = -10,
    ends_in_days: int = 300,
) -> bytes:
    """A certificate of this CA, or one signed by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = subject or name("odd.elsewhere.example")
    signer = issuer.key if issuer is not None else key
    now = timezone.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins_in_days))
        .not_valid_after(now + timedelta(days=ends_in_days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(signer, hash_algorithm or hashes.SHA256()).public_bytes(Encoding.DER)


def signed_with_sha1(**fields: Any) -> bytes:
    """A certificate signed by itself with SHA-1, for which the library's builder has no way any more."""
    key = rsa.generate_private_key(65537, 2048)
    certificate = asn1.Certificate.load(odd_certificate(None, key=key, **fields))
    algorithm = {"algorithm": "sha1_rsa", "parameters": Null()}
    certificate["tbs_certificate"]["signature"] = algorithm
    certificate["signature_algorithm"] = algorithm
    signed = certificate["tbs_certificate"].dump(force=True)
    certificate["signature_value"] = key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    der: bytes = certificate.dump(force=True)
    return der


def with_the_other_signature(der: bytes) -> bytes:
    """The same certificate, signed with ECDSA on P-256, with the second signature that verifies as the first does."""
    certificate = asn1.Certificate.load(der)
    r, s = decode_dss_signature(certificate["signature_value"].native)
    certificate["signature_value"] = OctetBitString(encode_dss_signature(r, _ORDER_OF_P256 - s))
    return bytes(certificate.dump(force=True))
