"""A credential's certificate in the formats in which people download it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models

from certauthority.chains import issuers_of
from certauthority.x509.export import pem, pem_bundle, pkcs7
from certauthority.x509.request_commands import file_name
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


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send. ``file_name`` is ASCII and safe everywhere, whatever the alias is."""

    content: bytes
    content_type: str
    file_name: str


def download(credential: Credential, form: Format) -> Download:
    """The certificate in one format. None of them holds a key."""
    leaf = bytes(credential.certificate.der)
    base = file_name(credential.alias)
    match form:
        case Format.PEM:
            return Download(pem(leaf).encode(), "application/x-pem-file", f"{base}.pem")
        case Format.CHAIN:  # RFC 8555, 9.1
            chain = pem_bundle([leaf, *issuers_of(credential.certificate)]).encode()
            return Download(chain, "application/pem-certificate-chain", f"{base}-chain.pem")
        case Format.DER:  # RFC 5280, 4.2.1.13 and RFC 2585, 4.1
            return Download(leaf, "application/pkix-cert", f"{base}.cer")
        case Format.PKCS7:
            bundle = pkcs7([leaf, *issuers_of(credential.certificate)])
            return Download(bundle, "application/x-pkcs7-certificates", f"{base}.p7b")
