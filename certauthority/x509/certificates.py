"""Certificates as plain facts. Nothing outside this module needs the library's certificate object to show one."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.extensions import ExtensionType
from cryptography.x509.oid import AuthorityInformationAccessOID

from . import der as asn1
from .errors import UnreadableInput
from .export import pem
from .identifiers import KEY_USAGES, PURPOSE_NAMES
from .keys import PublicKeyFacts, SignatureAlgorithm, read_public_key, read_signature_algorithm
from .limits import MAX_SERIAL_OCTETS
from .names import DistinguishedName, read_name

logger = logging.getLogger(__name__)

_Extensions = dict[type[ExtensionType], ExtensionType]
_EXPLICIT_VERSION = 0xA0
# How many bits of a BIT STRING are unused (X.690, 8.6.2.2). A signature fills its octets, and a changed number would
# leave it valid wherever its last bits are zero.
_WHOLE_OCTETS = b"\x00"
# Path validation compares every name with every constraint: thousands of both would take seconds.
_MAX_NAMES = 500


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Everything that the site needs of a certificate.

    Fingerprints and key identifiers are lower-case hex, ``fingerprint`` is the SHA-256 of ``der``. Times are UTC.
    Usages and purposes are RFC 5280's names, or digits for an unknown purpose; empty means that the extension is
    absent. ``is_ca`` is what basicConstraints says. ``has_key_usage`` tells an absent key usage from an empty one.
    """

    der: bytes
    fingerprint: str
    subject: DistinguishedName
    issuer: DistinguishedName
    serial: int
    not_before: datetime
    not_after: datetime
    public_key: PublicKeyFacts
    signature_algorithm: str
    is_ca: bool
    is_self_signed: bool
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    subject_alternative_names: tuple[str, ...]
    subject_key_identifier: str
    authority_key_identifier: str
    crl_urls: tuple[str, ...]
    ca_issuer_urls: tuple[str, ...]
    ocsp_urls: tuple[str, ...]
    path_length: int | None
    has_key_usage: bool
    signature: SignatureAlgorithm

    @property
    def pem(self) -> str:
        """The certificate as PEM text."""
        return pem(self.der)

    @property
    def serial_hex(self) -> str:
        """The serial number in lower-case hex without leading zeros."""
        return f"{self.serial:x}"


def read_certificate(data: bytes, *, loaded: x509.Certificate | None = None) -> CertificateFacts:
    """The facts of one DER certificate, of which every field is read now. Raises UnreadableInput.

    ``loaded`` is the library's object of the same data, where the caller has it: it keeps what was read of it.
    """
    try:
        parts = _parts(data)
        _check_serial(parts.serial)
        return _facts(data, parts, loaded or x509.load_der_x509_certificate(data))
    except UnreadableInput:
        raise
    except Exception as error:
        # The library parses late and raises a dozen kinds of error, TypeError among them; the content is not logged.
        logger.info("A certificate could not be read: %s", type(error).__name__)
        raise UnreadableInput(
            "input.certificate",
            "A certificate in this cannot be read: it is damaged, or is not what RFC 5280 allows. "
            "Export it again from where it was issued.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Parts:
    """Fields of a certificate as the octets that stand in it, which the library would write anew."""

    serial: asn1.Element
    issuer: bytes
    subject: bytes
    public_key: bytes
    algorithm: bytes


def _parts(data: bytes) -> _Parts:
    """Raises ValueError for what has not the shape of RFC 5280, 4.1."""
    to_be_signed, algorithm, signature = asn1.read_one(data).children()
    if not signature.expect(asn1.BIT_STRING).content.startswith(_WHOLE_OCTETS):
        raise ValueError("the signature does not end with an octet")
    fields = to_be_signed.children()
    if fields[0].tag == _EXPLICIT_VERSION:
        fields = fields[1:]
    serial, _, issuer, _, subject, public_key, *_ = fields
    return _Parts(serial, issuer.raw, subject.raw, public_key.raw, algorithm.raw)


def _check_serial(serial: asn1.Element) -> None:
    """RFC 5280, 4.1.2.2: positive and at most 20 octets. The library only warns, and not always."""
    if asn1.read_integer(serial) <= 0 or len(serial.content) > MAX_SERIAL_OCTETS:
        raise UnreadableInput(
            "input.serial",
            "The serial number of a certificate in this is not a positive number of at most 20 octets, "
            "as RFC 5280, 4.1.2.2 asks. Have it issued again with another serial number.",
        )


def _check_number_of_names(extensions: _Extensions) -> None:
    names, constraints = extensions.get(x509.SubjectAlternativeName), extensions.get(x509.NameConstraints)
    number = len(names) if isinstance(names, x509.SubjectAlternativeName) else 0
    if isinstance(constraints, x509.NameConstraints):
        number += len(constraints.permitted_subtrees or ()) + len(constraints.excluded_subtrees or ())
    if number > _MAX_NAMES:
        raise UnreadableInput(
            "input.too-many-names",
            f"A certificate in this has {number:,} alternative names or name constraints. "
            f"Certificates with more than {_MAX_NAMES} are not taken.",
        )


def _facts(data: bytes, parts: _Parts, certificate: x509.Certificate) -> CertificateFacts:
    extensions = {type(extension.value): extension.value for extension in certificate.extensions}
    _check_number_of_names(extensions)
    is_ca, path_length = _constraints(extensions)
    signature = read_signature_algorithm(parts.algorithm)
    own_key_id, issuer_key_id = _key_identifiers(extensions)
    ca_issuer_urls, ocsp_urls = _access_urls(extensions)
    return CertificateFacts(
        der=data,
        fingerprint=hashlib.sha256(data).hexdigest(),
        subject=read_name(parts.subject),
        issuer=read_name(parts.issuer),
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        public_key=read_public_key(parts.public_key),
        signature_algorithm=signature.name,
        is_ca=is_ca,
        is_self_signed=parts.subject == parts.issuer and is_signed_by(certificate, certificate),
        key_usage=_key_usage(extensions),
        extended_key_usage=_purposes(extensions),
        subject_alternative_names=_alternative_names(extensions),
        subject_key_identifier=own_key_id,
        authority_key_identifier=issuer_key_id,
        crl_urls=_crl_urls(extensions),
        ca_issuer_urls=ca_issuer_urls,
        ocsp_urls=ocsp_urls,
        path_length=path_length,
        has_key_usage=x509.KeyUsage in extensions,
        signature=signature,
    )


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key fit the certificate.

    Where the library does not know or allow the algorithm (MD5 and SHA-1, say) the names decide: this finds issuers,
    and trusts nobody.
    """
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError):
        return False
    except (UnsupportedAlgorithm, ValueError):
        return certificate.issuer == issuer.subject
    return True


def _constraints(extensions: _Extensions) -> tuple[bool, int | None]:
    constraints = extensions.get(x509.BasicConstraints)
    if not isinstance(constraints, x509.BasicConstraints):
        return False, None
    return constraints.ca, constraints.path_length


def _key_identifiers(extensions: _Extensions) -> tuple[str, str]:
    own, issuer = extensions.get(x509.SubjectKeyIdentifier), extensions.get(x509.AuthorityKeyIdentifier)
    own_digest = own.digest if isinstance(own, x509.SubjectKeyIdentifier) else b""
    issuer_digest = issuer.key_identifier if isinstance(issuer, x509.AuthorityKeyIdentifier) else None
    return own_digest.hex(), (issuer_digest or b"").hex()


def _key_usage(extensions: _Extensions) -> tuple[str, ...]:
    usage = extensions.get(x509.KeyUsage)
    if not isinstance(usage, x509.KeyUsage):
        return ()
    only_with_agreement = () if usage.key_agreement else ("encipherOnly", "decipherOnly")
    return tuple(
        name for name, field in KEY_USAGES.items() if name not in only_with_agreement and getattr(usage, field)
    )


def _purposes(extensions: _Extensions) -> tuple[str, ...]:
    purposes = extensions.get(x509.ExtendedKeyUsage)
    if not isinstance(purposes, x509.ExtendedKeyUsage):
        return ()
    return tuple(PURPOSE_NAMES.get(oid.dotted_string, oid.dotted_string) for oid in purposes)


def _alternative_names(extensions: _Extensions) -> tuple[str, ...]:
    names = extensions.get(x509.SubjectAlternativeName)
    return tuple(map(_general_name, names)) if isinstance(names, x509.SubjectAlternativeName) else ()


def _general_name(name: x509.GeneralName) -> str:
    """As ``openssl x509 -text`` writes it, such as ``DNS:example.org``."""
    match name:
        case x509.DNSName():
            return f"DNS:{name.value}"
        case x509.RFC822Name():
            return f"email:{name.value}"
        case x509.UniformResourceIdentifier():
            return f"URI:{name.value}"
        case x509.IPAddress():
            return f"IP:{name.value}"
        case x509.DirectoryName():
            return f"DirName:{read_name(name.value.public_bytes()).text}"
        case x509.RegisteredID():
            return f"RID:{name.value.dotted_string}"
    return "other name"


def _crl_urls(extensions: _Extensions) -> tuple[str, ...]:
    points = extensions.get(x509.CRLDistributionPoints)
    if not isinstance(points, x509.CRLDistributionPoints):
        return ()
    return tuple(url for point in points for name in point.full_name or () if (url := _url(name)))


def _access_urls(extensions: _Extensions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where the issuer's certificate is, and where OCSP is asked."""
    access = extensions.get(x509.AuthorityInformationAccess)
    if not isinstance(access, x509.AuthorityInformationAccess):
        return (), ()
    found: dict[x509.ObjectIdentifier, list[str]] = {}
    for description in access:
        if url := _url(description.access_location):
            found.setdefault(description.access_method, []).append(url)
    issuers, ocsp = AuthorityInformationAccessOID.CA_ISSUERS, AuthorityInformationAccessOID.OCSP
    return tuple(found.get(issuers, ())), tuple(found.get(ocsp, ()))


def _url(name: x509.GeneralName) -> str:
    return name.value if isinstance(name, x509.UniformResourceIdentifier) else ""
