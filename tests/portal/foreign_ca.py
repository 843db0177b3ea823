"""A CA of somebody else, for certificates that are uploaded."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.utils import timezone


def name(common_name: str) -> x509.Name:
    """A subject of our own choice."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Elsewhere"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


class ForeignCa:
    """A root with one key; ``pem`` is its certificate."""

    def __init__(self, common_name: str = "Elsewhere Root") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name(common_name)
        now = timezone.now()
        self.certificate = (
            self._builder(self.name, self.key.public_key(), begin=now - timedelta(days=500), days=4000)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(Encoding.PEM)

    def client_certificate(
        self,
        common_name: str = "client.elsewhere.example",
        *,
        key: ec.EllipticCurvePrivateKey | None = None,
        purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
        begins_in_days: int = -1,
    ) -> bytes:
        """PEM of a client certificate, valid for 300 days."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        begin = timezone.now() + timedelta(days=begins_in_days)
        certificate = (
            self._builder(name(common_name), key.public_key(), begin=begin, days=300)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, *, begin: datetime, days: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )


def _usage(**used: bool) -> x509.KeyUsage:
    fields = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{field: used.get(field, False) for field in fields})
