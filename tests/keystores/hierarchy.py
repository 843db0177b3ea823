"""A root, an issuing CA, and certificates for keys that a browser made, of this moment."""

from __future__ import annotations

import datetime
import functools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Authority = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
_CA = x509.BasicConstraints(ca=True, path_length=None)


def chain_for(csr: bytes) -> list[bytes]:
    """Certificates for the subject and key of a CSR, DER: the leaf, the issuing CA, the root."""
    (root, _), (issuing, issuing_key) = _authorities()
    request = x509.load_der_x509_csr(csr)
    leaf = (
        _builder(request.subject, request.public_key(), issuing.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(issuing_key, hashes.SHA256())
    )
    return [certificate.public_bytes(serialization.Encoding.DER) for certificate in (leaf, issuing, root)]


@functools.cache
def _authorities() -> tuple[Authority, Authority]:
    root_key, issuing_key = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, issuing_name = _name("Keystore Test Root"), _name("Keystore Test Issuing CA")
    root = _builder(root_name, root_key.public_key(), root_name).add_extension(_CA, critical=True)
    issuing = _builder(issuing_name, issuing_key.public_key(), root_name).add_extension(_CA, critical=True)
    signed = [builder.sign(root_key, hashes.SHA256()) for builder in (root, issuing)]
    return (signed[0], root_key), (signed[1], issuing_key)


def _builder(subject: x509.Name, public_key: CertificatePublicKeyTypes, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(issuer, subject, public_key, x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
