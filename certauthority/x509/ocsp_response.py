"""OCSP responses (RFC 6960, 4.2), written as DER: a responder's key signs, its certificate goes along."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

from . import der
from .certificates import CertificateFacts
from .errors import ProfileError
from .ocsp_request import NONCE_OID, CertId
from .revocation_list import REASONS
from .signing import SigningKey, algorithm_identifier, signature_bits, write_extension, write_integer

# The hashes by which a CertID may name the issuer: their names in Python, by the DER of their AlgorithmIdentifier.
HASHES = {
    der.write(der.SEQUENCE, der.write_oid(oid) + parameters): name
    for name, oid in (
        ("sha1", "1.3.14.3.2.26"),
        ("sha256", "2.16.840.1.101.3.4.2.1"),
        ("sha384", "2.16.840.1.101.3.4.2.2"),
        ("sha512", "2.16.840.1.101.3.4.2.3"),
    )
    # RFC 5754, 2: parameters are absent or NULL, and either must be taken. Clients write NULL.
    for parameters in (b"\x05\x00", b"")
}
_BASIC = der.write_oid("1.3.6.1.5.5.7.48.1.1")
_ENUMERATED = 0x0A
_GOOD, _UNKNOWN = b"\x80\x00", b"\x82\x00"


class Failure(IntEnum):
    """OCSPResponseStatus (RFC 6960, 4.2.1) of answers that say nothing about a certificate."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3


@dataclass(frozen=True, slots=True)
class Revocation:
    """When and why. ``reason`` is a name of RFC 5280, 5.3.1, such as keyCompromise."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class IssuerHashes:
    """By what a CertID names an issuer: the hashes of its name's DER and of its key's bits."""

    name_hash: bytes
    key_hash: bytes


def failure(status: Failure) -> bytes:
    """The whole of an answer that refuses; it is not signed."""
    return der.write(der.SEQUENCE, der.write(_ENUMERATED, bytes([status])))


def hashes_of(issuer: CertificateFacts, hash_name: str) -> IssuerHashes:
    """What a CertID of this issuer's certificates holds."""
    return IssuerHashes(
        hashlib.new(hash_name, issuer.subject.der, usedforsecurity=False).digest(),
        hashlib.new(hash_name, key_bits(issuer), usedforsecurity=False).digest(),
    )


def cert_id(hashes: IssuerHashes, algorithm: bytes, serial: int) -> CertId:
    """The CertID that a client would write."""
    parts = [
        algorithm,
        der.write(der.OCTET_STRING, hashes.name_hash),
        der.write(der.OCTET_STRING, hashes.key_hash),
        write_integer(serial),
    ]
    raw = der.write(der.SEQUENCE, b"".join(parts))
    return CertId(raw, algorithm, hashes.name_hash, hashes.key_hash, serial)


def key_bits(certificate: CertificateFacts) -> bytes:
    """The bits of the public key, without their tag and length, of which identifiers are made (RFC 5280, 4.2.1.2)."""
    _, bits = der.read_one(certificate.public_key.spki).children()
    return bits.expect(der.BIT_STRING).content[1:]


def good(cert: CertId, *, this_update: datetime, next_update: datetime) -> bytes:
    """A SingleResponse for a certificate that was issued and is not revoked."""
    return _single(cert, _GOOD, this_update, next_update)


def revoked(cert: CertId, revocation: Revocation, *, this_update: datetime, next_update: datetime) -> bytes:
    """A SingleResponse for a revoked certificate. Raises ProfileError for an unknown reason."""
    if revocation.reason not in REASONS:
        raise ProfileError(f"“{revocation.reason}” is no reason of RFC 5280, 5.3.1. Use one of {', '.join(REASONS)}.")
    content, code = _time(revocation.at), REASONS[revocation.reason]
    if code:  # As on CRLs: unspecified is said by saying nothing (RFC 5280, 5.3.1).
        content += der.write(0xA0, der.write(_ENUMERATED, bytes([code])))
    return _single(cert, der.write(0xA1, content), this_update, next_update)


def unknown(cert: CertId, *, this_update: datetime, next_update: datetime) -> bytes:
    """A SingleResponse for a certificate that this responder's CA did not issue."""
    return _single(cert, _UNKNOWN, this_update, next_update)


def build_ocsp_response(
    singles: Sequence[bytes],
    *,
    responder: CertificateFacts,
    responder_key: SigningKey,
    produced_at: datetime,
    nonce: bytes | None = None,
) -> bytes:
    """The DER of a signed answer. Raises ProfileError when the certificate is none of a delegated responder."""
    if "OCSPSigning" not in responder.extended_key_usage:
        raise ProfileError(f"{responder.subject.text} may not sign OCSP responses: it lacks OCSPSigning.")
    identifier = der.write(der.OCTET_STRING, bytes.fromhex(responder.subject_key_identifier))
    parts = [der.write(0xA2, identifier), _time(produced_at), der.write(der.SEQUENCE, b"".join(singles))]
    if nonce is not None:
        extension = write_extension(NONCE_OID, der.write(der.OCTET_STRING, nonce))
        parts.append(der.write(0xA1, der.write(der.SEQUENCE, extension)))
    data = der.write(der.SEQUENCE, b"".join(parts))
    certificates = der.write(0xA0, der.write(der.SEQUENCE, responder.der))
    basic = data + algorithm_identifier(responder_key) + signature_bits(data, responder_key) + certificates
    content = _BASIC + der.write(der.OCTET_STRING, der.write(der.SEQUENCE, basic))
    return der.write(der.SEQUENCE, b"\x0a\x01\x00" + der.write(0xA0, der.write(der.SEQUENCE, content)))


def _single(cert: CertId, status: bytes, this_update: datetime, next_update: datetime) -> bytes:
    if next_update <= this_update:
        raise ProfileError("The next update of an OCSP response comes after this update (RFC 6960, 4.2.2.1).")
    return der.write(der.SEQUENCE, cert.raw + status + _time(this_update) + der.write(0xA0, _time(next_update)))


# What is answered in one second states the same times.
@lru_cache(maxsize=64)
def _time(moment: datetime) -> bytes:
    """GeneralizedTime to the second, whatever the year (RFC 6960, 4.2.2.1)."""
    if moment.tzinfo is None:
        raise ProfileError("A time in an OCSP response needs a zone.")
    return der.write(der.GENERALIZED_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())
