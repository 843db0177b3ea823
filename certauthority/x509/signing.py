"""What certificates, revocation lists and OCSP responses share as DER: times, extensions, algorithm and signature.

The parts are written here and not by the library's builders, since a builder would write names anew (a subject must
stand in the certificate octet for octet as it was approved) and takes three times as long.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from . import der
from .errors import ProfileError

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

# AlgorithmIdentifiers: RFC 4055, 5 (with NULL) and RFC 5758, 3.2 (without parameters).
_RSA_SHA256 = der.write(der.SEQUENCE, der.write_oid("1.2.840.113549.1.1.11") + b"\x05\x00")
# The algorithm of a curve is made once: the library looks for its backend each time.
_ECDSA: dict[str, tuple[ec.ECDSA, bytes]] = {
    "secp256r1": (ec.ECDSA(SHA256()), der.write(der.SEQUENCE, der.write_oid("1.2.840.10045.4.3.2"))),
    "secp384r1": (ec.ECDSA(SHA384()), der.write(der.SEQUENCE, der.write_oid("1.2.840.10045.4.3.3"))),
}
_TRUE = b"\x01\x01\xff"
_LAST_UTC_TIME_YEAR = 2049


def write_time(moment: datetime) -> bytes:
    """UTCTime until 2049 and GeneralizedTime from 2050, to the second (RFC 5280, 4.1.2.5).

    Raises ProfileError for a time without a zone and for the years before 1950, which no certificate can state so.
    """
    utc = moment.astimezone(UTC) if moment.tzinfo is not None else None
    if utc is None or utc.year < 1950:
        raise ProfileError("A time in a certificate needs a zone, and is in 1950 or later.")
    rest = b"%02d%02d%02d%02d%02dZ" % (utc.month, utc.day, utc.hour, utc.minute, utc.second)
    if utc.year <= _LAST_UTC_TIME_YEAR:
        return der.write(der.UTC_TIME, b"%02d" % (utc.year % 100) + rest)
    return der.write(der.GENERALIZED_TIME, b"%04d" % utc.year + rest)


def write_integer(number: int) -> bytes:
    """A whole number that is not negative."""
    return der.write(der.INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def write_extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """One extension (RFC 5280, 4.1), whose value is DER."""
    return der.write(der.SEQUENCE, _oid(oid) + (_TRUE if critical else b"") + der.write(der.OCTET_STRING, value))


# The same dozen of identifiers stands in every certificate.
_oid = lru_cache(maxsize=64)(der.write_oid)


def algorithm_identifier(key: SigningKey) -> bytes:
    """The algorithm with which this key signs: SHA-256, and SHA-384 for P-384. Raises ProfileError for other curves."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _RSA_SHA256
    return _for_curve(key)[1]


def sign(to_be_signed: bytes, key: SigningKey) -> bytes:
    """SEQUENCE { what is signed, algorithm, signature }, as certificates and revocation lists have it."""
    signed = algorithm_identifier(key) + signature_bits(to_be_signed, key)
    # Put together once: a revocation list of a million entries has fifty million octets.
    return b"".join((der.header(der.SEQUENCE, len(to_be_signed) + len(signed)), to_be_signed, signed))


def signature_bits(to_be_signed: bytes, key: SigningKey) -> bytes:
    """The BIT STRING of a signature, with the algorithm that `algorithm_identifier` names."""
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(to_be_signed, padding.PKCS1v15(), SHA256())
    else:
        signature = key.sign(to_be_signed, _for_curve(key)[0])
    return der.write(der.BIT_STRING, b"\x00" + signature)


def _for_curve(key: ec.EllipticCurvePrivateKey) -> tuple[ec.ECDSA, bytes]:
    try:
        return _ECDSA[key.curve.name]
    except KeyError as error:
        raise ProfileError(f"A CA key on the curve {key.curve.name} is not used. Use P-256 or P-384.") from error
