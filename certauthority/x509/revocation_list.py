"""Certificate revocation lists (RFC 5280, 5), in time that grows with the number of entries and no faster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from . import der
from .certificates import CertificateFacts
from .errors import ProfileError
from .signing import SigningKey, algorithm_identifier, sign, write_extension, write_integer, write_time

# CRLReason (RFC 5280, 5.3.1). removeFromCRL is for delta lists, which are not made here.
REASONS = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
_ENUMERATED = 0x0A
_REASON_CODE = "2.5.29.21"
# RFC 5280, 5.3.1: for unspecified the extension should be absent.
_REASON_EXTENSIONS = {
    name: der.write(der.SEQUENCE, write_extension(_REASON_CODE, der.write(_ENUMERATED, bytes([code])))) if code else b""
    for name, code in REASONS.items()
}
_AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
_CRL_NUMBER = "2.5.29.20"
_ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
_VERSION_2 = write_integer(1)
_MAX_NUMBER_BITS = 159
_MAX_ADDRESSES = 16


def crl_entry(*, serial: int, revoked_at: datetime, reason: str) -> bytes:
    """The DER of one revoked certificate. ``reason`` is a name of RFC 5280, 5.3.1, such as keyCompromise.

    For ``unspecified`` no reason is written, as RFC 5280 asks. Raises ProfileError for an unknown reason.
    """
    if reason not in REASONS:
        raise ProfileError(f"“{reason}” is no reason of RFC 5280, 5.3.1. Use one of {', '.join(REASONS)}.")
    if serial <= 0:
        raise ProfileError("A serial number is a positive number (RFC 5280, 4.1.2.2).")
    return der.write(der.SEQUENCE, write_integer(serial) + write_time(revoked_at) + _REASON_EXTENSIONS[reason])


def build_crl(
    *,
    issuer: CertificateFacts,
    issuer_key: SigningKey,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: bytes,
    addresses: Sequence[str] = (),
) -> bytes:
    """The DER of a signed CRL. ``entries`` are results of `crl_entry`, one after another; none is fine.

    Without ``addresses`` it is complete. With them it says that it covers the certificates alone that name one of them
    as their distribution point (RFC 5280, 5.2.5): a reader with a certificate that names another one looks further.
    ``number`` must grow with each CRL of the issuer: the caller keeps it. Raises ProfileError when the issuer may not
    sign CRLs, the dates are in the wrong order, the number is not 0 or more in 20 octets (RFC 5280, 5.2.3), or there
    are more than 16 addresses or one that begins with anything but http://.
    """
    if "cRLSign" not in issuer.key_usage or not issuer.subject_key_identifier:
        raise ProfileError(
            f"{issuer.subject.text} may not sign revocation lists: it lacks cRLSign or a key identifier."
        )
    if next_update <= this_update:
        raise ProfileError("The next update of a revocation list comes after this update (RFC 5280, 5.1.2.5).")
    if number < 0 or number.bit_length() > _MAX_NUMBER_BITS:
        raise ProfileError("The number of a revocation list is 0 or more and has at most 20 octets (RFC 5280, 5.2.3).")
    if len(addresses) > _MAX_ADDRESSES or not all(address.startswith("http://") for address in addresses):
        raise ProfileError(
            f"A revocation list names at most {_MAX_ADDRESSES} addresses, and each begins with http:// (RFC 5280, 8)."
        )
    key_identifier = der.write(0x80, bytes.fromhex(issuer.subject_key_identifier))
    extensions = write_extension(_AUTHORITY_KEY_IDENTIFIER, der.write(der.SEQUENCE, key_identifier))
    extensions += write_extension(_CRL_NUMBER, write_integer(number))
    if addresses:
        extensions += write_extension(_ISSUING_DISTRIBUTION_POINT, _distribution_point(addresses), critical=True)
    before = [
        _VERSION_2,
        algorithm_identifier(issuer_key),
        issuer.subject.der,
        write_time(this_update),
        write_time(next_update),
        # RFC 5280, 5.1.2.6: with nothing revoked the list is absent, not empty.
        der.header(der.SEQUENCE, len(entries)) if entries else b"",
    ]
    after = der.write(0xA0, der.write(der.SEQUENCE, extensions))
    length = sum(map(len, before)) + len(entries) + len(after)
    return sign(b"".join((der.header(der.SEQUENCE, length), *before, entries, after)), issuer_key)


def _distribution_point(addresses: Sequence[str]) -> bytes:
    names = [x509.UniformResourceIdentifier(address) for address in addresses]
    return x509.IssuingDistributionPoint(names, None, False, False, None, False, False).public_bytes()
