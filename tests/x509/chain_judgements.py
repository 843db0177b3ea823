"""Judgements of uploaded certificates, and extensions that decide them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from certauthority.x509.certificate_rules import CertificateJudgement, judge_certificate
from tests.x509.certificates_made import NOW, kmp, pem


def judge(*ders: bytes, trusted: Sequence[bytes] | None = None, at: datetime = NOW) -> CertificateJudgement:
    """Of these certificates in one PEM, at ``NOW`` and with KMP’s authority trusted unless told otherwise."""
    return judge_certificate(pem(*ders), trusted=[kmp().der] if trusted is None else trusted, at=at)


def purposes(*oids: x509.ObjectIdentifier) -> tuple[x509.ExtendedKeyUsage, bool]:
    """An extended key usage with these, not critical."""
    return x509.ExtendedKeyUsage(oids), False
