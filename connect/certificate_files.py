"""Certificates as files to download, in both portals. None of them holds a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse

from certauthority.x509.export import pem, pem_bundle, pkcs7
from certauthority.x509.request_commands import file_name


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A file to send. ``file_name`` is ASCII and safe everywhere, whatever it was made from."""

    content: bytes
    content_type: str
    file_name: str

    def answer(self) -> HttpResponse:
        """The file as an attachment that browsers store and never show."""
        headers = {
            "Content-Disposition": f'attachment; filename="{self.file_name}"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(self.content, content_type=self.content_type, headers=headers)


def pem_file(certificate: bytes, *, name: str) -> CertificateFile:
    """One certificate as text."""
    return CertificateFile(pem(certificate).encode(), "application/x-pem-file", f"{file_name(name)}.pem")


def chain_file(certificates: Sequence[bytes], *, name: str) -> CertificateFile:
    """A certificate and its issuers as text (RFC 8555, 9.1)."""
    content = pem_bundle(certificates).encode()
    return CertificateFile(content, "application/pem-certificate-chain", f"{file_name(name)}-chain.pem")


def der_file(certificate: bytes, *, name: str) -> CertificateFile:
    """One certificate, binary (RFC 5280, 4.2.1.13 and RFC 2585, 4.1)."""
    return CertificateFile(certificate, "application/pkix-cert", f"{file_name(name)}.cer")


def pkcs7_file(certificates: Sequence[bytes], *, name: str) -> CertificateFile:
    """One certificate or several, binary, for Windows and Java."""
    return CertificateFile(pkcs7(certificates), "application/x-pkcs7-certificates", f"{file_name(name)}.p7b")
