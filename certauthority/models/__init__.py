"""What the certificate authority remembers."""

from certauthority.models.authority import Authority
from certauthority.models.certificate import Certificate, CertificateUse, RevocationReason
from certauthority.models.ocsp_responder import OcspResponder
from certauthority.models.public_key import PublicKey
from certauthority.models.revocation_list import RevocationList
from certauthority.models.trusted_authority import TrustedAuthority

__all__ = [
    "Authority",
    "Certificate",
    "CertificateUse",
    "OcspResponder",
    "PublicKey",
    "RevocationList",
    "RevocationReason",
    "TrustedAuthority",
]
