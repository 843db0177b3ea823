"""Certificate signing requests (PKCS #10, RFC 2986): everything that is ever read of one, read once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from cryptography import x509

from . import der
from .errors import UnreadableInput
from .keys import PublicKeyFacts, read_public_key
from .names import DistinguishedName, read_name
from .signature_algorithms import SignatureAlgorithm, read_signature_algorithm

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestedName:
    """A subject alternative name that a request asks for. ``kind`` is the library's name such as DNSName."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class RequestedExtensions:
    """What a request asks for. None of it is ever copied into a certificate."""

    extensions: tuple[str, ...]
    names: tuple[RequestedName, ...]
    asks_for_ca: bool


@dataclass(frozen=True, slots=True)
class ParsedCsr:
    """A request, taken apart. ``der`` is the request alone; ``trailing_octets`` says how much followed it.

    ``requested`` is None where attributes or extensions cannot be read, ``signature_valid`` is None where the
    signature cannot be verified, and False also for a right signature with a hash that the library refuses.
    """

    der: bytes
    version: int
    subject: DistinguishedName
    public_key: PublicKeyFacts
    algorithm: SignatureAlgorithm
    signature_valid: bool | None
    requested: RequestedExtensions | None
    trailing_octets: int

    @property
    def signature_algorithm(self) -> str:
        """The algorithm's usual name, such as sha256WithRSAEncryption."""
        return self.algorithm.name

    @property
    def requested_extensions(self) -> tuple[str, ...]:
        """The names of the extensions asked for."""
        return self.requested.extensions if self.requested else ()


def read_csr(data: bytes) -> ParsedCsr:
    """A request from its DER, whatever its rules say of it. Raises UnreadableInput where it has no such structure."""
    try:
        request = der.read_at(data)
        information, algorithm, _ = request.expect(der.SEQUENCE).children()
        version, subject, key, *_ = information.expect(der.SEQUENCE).children()
        number = der.read_integer(version)
    except ValueError as error:  # DerError is one, and so is a wrong number of parts.
        raise UnreadableInput(
            "input.unreadable",
            "This CSR is damaged: it cannot be read as PKCS #10. Make it again and send the new file.",
        ) from error
    signature_valid, requested = _ask_library(request.raw)
    return ParsedCsr(
        der=request.raw,
        version=number,
        subject=read_name(subject.raw),
        public_key=read_public_key(key.raw),
        algorithm=read_signature_algorithm(algorithm.raw),
        signature_valid=signature_valid,
        requested=requested,
        trailing_octets=len(data) - len(request.raw),
    )


def _ask_library(request: bytes) -> tuple[bool | None, RequestedExtensions | None]:
    """Whether the signature fits, and what is asked for; None for what the library cannot tell.

    The only function that touches the library's object, which is lazy and raises all kinds of errors, late.
    """
    signature_valid = requested = None
    try:
        csr = x509.load_der_x509_csr(request)
        requested = _requested(csr.extensions)
        signature_valid = csr.is_signature_valid
    except Exception as error:  # noqa: BLE001  # the class alone is logged, as the text may quote the input
        logger.info("A request could not be read to its end: %s", type(error).__name__)
    return signature_valid, requested


def _requested(extensions: x509.Extensions) -> RequestedExtensions:
    constraints = [e.value for e in extensions if isinstance(e.value, x509.BasicConstraints)]
    alternatives = [e.value for e in extensions if isinstance(e.value, x509.SubjectAlternativeName)]
    return RequestedExtensions(
        extensions=tuple(_extension_name(extension.oid) for extension in extensions),
        names=tuple(_requested_name(name) for names in alternatives for name in names),
        asks_for_ca=any(constraint.ca for constraint in constraints),
    )


def _extension_name(oid: x509.ObjectIdentifier) -> str:
    name = oid._name  # noqa: SLF001  the library has no public way to the name
    return name if name != "Unknown OID" else oid.dotted_string


def _requested_name(name: x509.GeneralName) -> RequestedName:
    """Only text and addresses are shown; names within names and free structures go by their kind alone."""
    shown = isinstance(name, x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier | x509.IPAddress)
    return RequestedName(type(name).__name__, str(name.value) if shown else "")
