"""How a certificate is written to and read from its row."""

from __future__ import annotations

import hashlib
from typing import Any

from certauthority.models import Certificate
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.keys import PublicKeyFacts


def certificate_fields(facts: CertificateFacts, *, issuer_key: PublicKeyFacts) -> dict[str, Any]:
    """What ``Certificate`` stores of a certificate."""
    return {
        "issuer_digest": issuer_digest(facts, issuer_key),
        "issuer": facts.issuer.text,
        "serial": facts.serial_hex,
        "subject": facts.subject.text,
        "subject_digest": facts.subject.digest,
        "common_name": facts.subject.common_name[:64],
        "fingerprint": facts.fingerprint,
        "public_key_fingerprint": facts.public_key.fingerprint,
        "key_description": facts.public_key.description,
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "der": facts.der,
    }


def issuer_digest(facts: CertificateFacts, issuer_key: PublicKeyFacts) -> str:
    """Who signed it: name and key together, since two CAs of others may bear one name."""
    return hashlib.sha256(f"{facts.issuer.digest}:{issuer_key.fingerprint}".encode()).hexdigest()


def facts_of(certificate: Certificate) -> CertificateFacts:
    """Everything that the stored certificate says."""
    return read_certificate(bytes(certificate.der))
