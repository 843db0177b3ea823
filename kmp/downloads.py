"""A certificate of the inventory as a file."""

from __future__ import annotations

from django.db import models

from certauthority.chains import issuers_of
from connect.certificate_files import CertificateFile, chain_file, der_file, pem_file, pkcs7_file
from kmp.models import InventoryEntry


class FileFormat(models.TextChoices):
    """How a certificate can be downloaded; the word stands in the address."""

    PEM = "pem", "PEM"
    DER = "der", "DER"
    PKCS7 = "p7b", "PKCS #7"


def certificate_file(entry: InventoryEntry, *, file_format: FileFormat, include_chain: bool) -> CertificateFile:
    """The certificate alone, or with its issuers up to the root, named after its reference. DER holds only one."""
    leaf, name = bytes(entry.certificate.der), entry.reference
    certificates = [leaf, *issuers_of(entry.certificate)] if include_chain else [leaf]
    match file_format:
        case FileFormat.PEM:
            return chain_file(certificates, name=name) if include_chain else pem_file(leaf, name=name)
        case FileFormat.DER:
            return der_file(leaf, name=name)
        case FileFormat.PKCS7:
            return pkcs7_file(certificates, name=name)
