"""The way from a stored certificate up to the CA that ends its chain."""

from __future__ import annotations

from certauthority.authorities import chain_of
from certauthority.models import Certificate
from certauthority.x509 import der


def issuers_of(certificate: Certificate) -> list[bytes]:
    """DER of its issuers, the nearest first: up to our root, or up to the trusted CA that its upload led to."""
    if certificate.authority is not None:
        return chain_of(certificate.authority)
    issuers = []
    rest = bytes(certificate.uploaded_chain)
    while rest:
        issuer = der.read_at(rest).raw
        issuers.append(issuer)
        rest = rest[len(issuer) :]
    return issuers
