"""pkilint: an independent opinion on what we sign. The one place that touches that untyped library.

It takes about half a second to import, so it is loaded when first asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

_COUNTED = frozenset({"FATAL", "ERROR", "WARNING"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What the linter has against a document. ``severity`` is WARNING, ERROR or FATAL."""

    severity: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity} {self.code}" + (f": {self.message}" if self.message else "")


def lint_certificate(der: bytes) -> list[Finding]:
    """The findings of RFC 5280's rules at WARNING or worse. What cannot be parsed is one FATAL finding."""
    return list(_findings(_certificate_linter(), der))


def lint_crl(der: bytes) -> list[Finding]:
    """The same for a certificate revocation list."""
    return list(_findings(_crl_linter(), der))


def lint_ocsp_response(der: bytes) -> list[Finding]:
    """The findings of RFC 6960's rules, for an OCSP response."""
    return list(_findings(_ocsp_linter(), der))


@dataclass(frozen=True, slots=True)
class _Linter:
    """How the library loads one kind of document, and its rules for it."""

    load: Callable[[bytes, str], Any]
    validator: Any


def _findings(linter: _Linter, der: bytes) -> Iterator[Finding]:
    try:
        results = list(linter.validator.validate(linter.load(der, "document").root))
    except Exception as error:  # noqa: BLE001  # Its parser raises many kinds; what breaks it is no good document.
        yield Finding("FATAL", "document.unreadable", type(error).__name__)
        return
    for result in results:
        for described in result.finding_descriptions:
            severity = described.finding.severity.name
            if severity in _COUNTED:
                yield Finding(severity, described.finding.code, described.message or "")


@cache
def _certificate_linter() -> _Linter:
    loader, certificate = import_module("pkilint.loader"), import_module("pkilint.pkix.certificate")
    extension, name = import_module("pkilint.pkix.extension"), import_module("pkilint.pkix.name")
    validator = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )
    return _Linter(loader.load_der_certificate, validator)


@cache
def _crl_linter() -> _Linter:
    loader, pkix, crl = (import_module(f"pkilint.{module}") for module in ("loader", "pkix", "pkix.crl"))
    extension, name = import_module("pkilint.pkix.extension"), import_module("pkilint.pkix.name")
    validator = crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
    return _Linter(loader.load_der_crl, validator)


@cache
def _ocsp_linter() -> _Linter:
    loader, pkix, ocsp = (import_module(f"pkilint.{module}") for module in ("loader", "pkix", "pkix.ocsp"))
    extension, name = import_module("pkilint.pkix.extension"), import_module("pkilint.pkix.name")
    validator = ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )
    return _Linter(loader.RFC6960OCSPResponseDocumentLoader().load_der_document, validator)
