"""What the certificate authority remembers."""

from certauthority.models.authority import Authority
from certauthority.models.certificate import Certificate, RevocationReason
from certauthority.models.ocsp_responder import OcspResponder
from certauthority.models.public_key import PublicKey
from certauthority.models.revocation_list import RevocationList
from certauthority.models.trusted_authority import TrustedAuthority
from certauthority.models.use import (
    CertificateUse,
    CertificateUseHour,
    CertificateUseMinute,
    CertificateUseSource,
    EndpointCall,
    ReasonCode,
)

__all__ = [
    "Authority",
    "Certificate",
    "CertificateUse",
    "CertificateUseHour",
    "CertificateUseMinute",
    "CertificateUseSource",
    "EndpointCall",
    "OcspResponder",
    "PublicKey",
    "ReasonCode",
    "RevocationList",
    "RevocationReason",
    "TrustedAuthority",
]
