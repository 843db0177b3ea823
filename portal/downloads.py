"""A credential's certificate in the formats in which people download it."""

from __future__ import annotations

from django.db import models

from certauthority.chains import issuers_of
from connect.certificate_files import CertificateFile, chain_file, der_file, pem_file, pkcs7_file
from portal.models import Credential


class Format(models.TextChoices):
    """The word in the address, and the button."""

    PEM = "pem", "Download PEM"
    CHAIN = "chain", "Download chain"
    DER = "der", "Download DER"
    PKCS7 = "p7b", "Download PKCS #7"

    @property
    def description(self) -> str:
        """What the file holds."""
        return {
            "pem": "The certificate alone, as text",
            "chain": "The certificate and its issuers, as text",
            "der": "The certificate alone, binary",
            "p7b": "The certificate and its issuers, binary, for Windows and Java",
        }[self.value]


def download(credential: Credential, form: Format) -> CertificateFile:
    """The certificate in one format."""
    leaf, issuers, name = bytes(credential.certificate.der), issuers_of(credential.certificate), credential.alias
    match form:
        case Format.PEM:
            return pem_file(leaf, name=name)
        case Format.CHAIN:
            return chain_file([leaf, *issuers], name=name)
        case Format.DER:
            return der_file(leaf, name=name)
        case Format.PKCS7:
            return pkcs7_file([leaf, *issuers], name=name)
