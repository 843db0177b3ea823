"""A strict reader of OCSP requests (RFC 6960, 4.1). It cuts octets into parts and verifies nothing.

The library's reader refuses requests for several certificates, raises late, and does not give a CertID's octets back.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import der
from .errors import UnreadableInput
from .limits import MAX_OCSP_CERTIFICATES, MAX_OCSP_REQUEST_BYTES
from .signing import write_extension, write_integer

# RFC 9654, 2.1: a nonce has 1 to 128 octets, and anything else is malformedRequest.
MAX_NONCE_OCTETS = 128
NONCE_OID = "1.3.6.1.5.5.7.48.1.2"
_NONCE_DER = der.write_oid(NONCE_OID)
# Its lengths are written in one octet each.
_SHORT_NONCE = 125
# The DER of the algorithm with NULL, and how many octets its hashes have.
_COMMON_ALGORITHMS = tuple(
    (der.write(der.SEQUENCE, der.write_oid(oid) + b"\x05\x00"), octets)
    for oid, octets in (("1.3.14.3.2.26", 20), ("2.16.840.1.101.3.4.2.1", 32))
)
_VERSION, _REQUESTOR_NAME, _EXTENSIONS, _SIGNATURE, _SINGLE_EXTENSIONS = 0xA0, 0xA1, 0xA2, 0xA0, 0xA0
_VERSION_1 = b"\x02\x01\x00"
_BOOLEAN, _TRUE, _FALSE = 0x01, b"\xff", b"\x00"
# RFC 6960, 4.4: a critical extension that a responder does not know must not be passed over.
_KNOWN_EXTENSIONS = frozenset(
    {
        NONCE_OID,
        "1.3.6.1.5.5.7.48.1.4",  # acceptable responses: every client takes a basic one
        "1.3.6.1.5.5.7.48.1.7",  # service locator: other responders are not asked
        "1.3.6.1.5.5.7.48.1.8",  # preferred signature algorithms: a responder of ours has one
    }
)


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is asked for (RFC 6960, 4.1.1). ``raw`` is its DER, ``algorithm`` that of the hash."""

    raw: bytes
    algorithm: bytes
    name_hash: bytes
    key_hash: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """What was asked, in order. ``nonce`` is None where none was sent; a requestor's name and signature are dropped."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None


def read_ocsp_request(data: bytes) -> OcspRequest:
    """One DER request, all of it looked at. Raises UnreadableInput for everything else."""
    if len(data) > MAX_OCSP_REQUEST_BYTES:
        raise UnreadableInput(
            "ocsp.too-large",
            f"This OCSP request has more than {MAX_OCSP_REQUEST_BYTES // 1024} KiB. Ask for fewer certificates.",
        )
    try:
        return _common_request(data) or _request(data)
    except ValueError as error:  # DerError is one, and so is a missing part.
        raise UnreadableInput(
            "ocsp.malformed", "This is no OCSP request as RFC 6960, 4.1 defines it. Send one in DER."
        ) from error


def _common_request(data: bytes) -> OcspRequest | None:
    """What nearly every client sends, at a third of the time: one certificate, SHA-1 or SHA-256, perhaps a nonce.

    The values are cut out where they would stand, written anew, and must give the same octets: so nothing is taken
    that the reader below would not take. None for everything else.
    """
    algorithm, octets = next((one for one in _COMMON_ALGORITHMS if one[0] in data[10:32]), (b"", 0))
    if not algorithm:
        return None
    names = data.index(algorithm) + len(algorithm) + 2
    name_hash, key_hash = data[names : names + octets], data[names + octets + 2 : names + 2 * octets + 2]
    number = names + 2 * octets + 2
    end = number + 2 + int.from_bytes(data[number + 1 : number + 2], "big")
    serial = int.from_bytes(data[number + 2 : end], "big", signed=True)
    if serial <= 0:
        return None
    hashes = b"\x04%c%b\x04%c%b" % (octets, name_hash, octets, key_hash)
    raw = der.write(der.SEQUENCE, algorithm + hashes + write_integer(serial))
    content = der.write(der.SEQUENCE, der.write(der.SEQUENCE, raw))
    nonce = None
    if end < len(data):
        nonce = data[end:].partition(_NONCE_DER)[2][4:]
        if not 1 <= len(nonce) <= _SHORT_NONCE:
            return None
        extension = write_extension(NONCE_OID, b"\x04%c%b" % (len(nonce), nonce))
        content += der.write(_EXTENSIONS, der.write(der.SEQUENCE, extension))
    if der.write(der.SEQUENCE, der.write(der.SEQUENCE, content)) != data:
        return None
    return OcspRequest((CertId(raw, algorithm, name_hash, key_hash, serial),), nonce)


def _request(data: bytes) -> OcspRequest:
    to_be_signed, *signature = der.read_one(data).expect(der.SEQUENCE).children()
    _check_signature(signature)
    fields = to_be_signed.expect(der.SEQUENCE).children()
    if fields and fields[0].tag == _VERSION and fields.pop(0).content != _VERSION_1:
        raise ValueError("another version than 1")
    if fields and fields[0].tag == _REQUESTOR_NAME:
        _check_general_name(fields.pop(0))
    request_list, *rest = fields
    requests = request_list.expect(der.SEQUENCE).children()
    if not 1 <= len(requests) <= MAX_OCSP_CERTIFICATES:
        raise ValueError("no certificate is asked for, or too many")
    cert_ids = tuple(map(_cert_id, requests))
    return OcspRequest(cert_ids, _nonce(_extensions(rest, _EXTENSIONS)))


def _check_signature(optional: list[der.Element]) -> None:
    """Its shape alone: a signature is neither needed nor believed."""
    if not optional:
        return
    (tagged,) = optional
    (signature,) = tagged.expect(_SIGNATURE).children()
    algorithm, bits, *certificates = signature.expect(der.SEQUENCE).children()
    der.read_oid(algorithm.expect(der.SEQUENCE).children()[0])
    bits.expect(der.BIT_STRING)
    if certificates:
        (chain,) = certificates
        for certificate in der.read_one(chain.expect(0xA0).content).expect(der.SEQUENCE).children():
            certificate.expect(der.SEQUENCE)


def _check_general_name(tagged: der.Element) -> None:
    """RFC 5280, 4.2.1.6: nine choices, told by their context-specific tags."""
    name = der.read_one(tagged.content)
    if name.tag & 0xC0 != 0x80 or name.tag & 0x1F > 8:
        raise ValueError("the requestor's name is none")


def _cert_id(request: der.Element) -> CertId:
    cert_id, *rest = request.expect(der.SEQUENCE).children()
    if rest:
        _extensions(rest, _SINGLE_EXTENSIONS)
    algorithm, name_hash, key_hash, serial = cert_id.expect(der.SEQUENCE).children()
    _check_algorithm(algorithm)
    return CertId(
        raw=cert_id.raw,
        algorithm=algorithm.raw,
        name_hash=name_hash.expect(der.OCTET_STRING).content,
        key_hash=key_hash.expect(der.OCTET_STRING).content,
        serial=der.read_integer(serial),
    )


def _check_algorithm(algorithm: der.Element) -> None:
    oid, *parameters = algorithm.expect(der.SEQUENCE).children()
    der.read_oid(oid)
    if len(parameters) > 1:
        raise ValueError("an algorithm has one set of parameters")


def _extensions(optional: list[der.Element], tag: int) -> dict[str, bytes]:
    """Values by object identifier. Raises ValueError for a repeated one, and for one that is critical and unknown."""
    if not optional:
        return {}
    (tagged,) = optional
    found: dict[str, bytes] = {}
    for extension in der.read_one(tagged.expect(tag).content).expect(der.SEQUENCE).children():
        oid_element, *flags, value = extension.expect(der.SEQUENCE).children()
        oid, is_critical = der.read_oid(oid_element), _is_critical(flags)
        if oid in found or (is_critical and oid not in _KNOWN_EXTENSIONS):
            raise ValueError("an extension that is repeated, or critical and not known")
        found[oid] = value.expect(der.OCTET_STRING).content
    if not found:
        raise ValueError("a list of extensions has at least one (RFC 5280, 4.1)")
    return found


def _is_critical(flags: list[der.Element]) -> bool:
    """FALSE need not be written, and some clients write it all the same."""
    if not flags:
        return False
    (flag,) = flags
    if flag.expect(_BOOLEAN).content not in (_TRUE, _FALSE):
        raise ValueError("a truth value that DER does not allow")
    return flag.content == _TRUE


def _nonce(extensions: dict[str, bytes]) -> bytes | None:
    if NONCE_OID not in extensions:
        return None
    nonce = der.read_one(extensions[NONCE_OID]).expect(der.OCTET_STRING).content
    if not 1 <= len(nonce) <= MAX_NONCE_OCTETS:
        raise ValueError("a nonce of a length that is not allowed")
    return nonce
