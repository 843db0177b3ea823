"""Where private keys and keystores begin within other data: as DER, as base64 of it, as hex and as decimal numbers.

Each form is told by its first octets, so that one that is cut off is found as well as a whole one, and so that nothing
which is signed (requests, certificates, revocation lists, PKCS #7) is mistaken for one. A regular expression finds the
few places worth looking at; everything is linear in the size of the data.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from enum import Enum, auto

from . import der


class Secret(Enum):
    """What begins somewhere. PKCS #12 files and Java keystores are made for keys, even if one holds none."""

    PRIVATE_KEY = auto()
    KEYSTORE = auto()


_INDEFINITE = 0x80
_PBE_OIDS = tuple(der.write_oid(oid)[2:] for oid in ("1.2.840.113549.1.5", "1.2.840.113549.1.12.1"))
_PKCS7_OID = der.write_oid("1.2.840.113549.1.7")[2:]
_PKCS12_VERSION = 3
_SEC1_VERSION = 1
_SEC1_KEY_OCTETS = range(16, 73)
_SMALLEST_MODULUS_OCTETS = 32
# How much of a key is looked at: its algorithm, with the parameters of a curve written out, is over by then.
_WINDOW = 1400
_MAX_PLACES = 5000

_LENGTH = rb"(?:[\x08-\x80]|\x81.|\x82..|\x83...)"
# SEQUENCE { version, … } of PKCS #1, PKCS #8, SEC 1 and PKCS #12, and SEQUENCE { SEQUENCE { encryption, … }, … }.
_DER = re.compile(
    rb"\x30(?=%b(?:\x02\x01(?:[\x00\x01][\x02\x04\x30]|\x03\x30)|\x30%b\x06[\x09\x0a]\x2a\x86))" % (_LENGTH, _LENGTH),
    re.DOTALL,
)
# The same octets in base64, for each size of the length, either alphabet: the version first, then the encryption.
_BASE64 = re.compile(
    rb"M(?=[A-I].CAQ[AEM]|I[E-H].AgE[ABD]|I[I-L]..[AQgw]IBA|I[M-P]....CAQ[AEM]"
    rb"|[A-H].w.[AQgw]Y[JK]|I[E-H].M[A-H].GC|I[I-L]..[DTjz][AB].Bg[ko]q)"
)
_HEX_SPACE = rb"[:\s]?"
_HEX_OCTET = rb"[0-9A-Fa-f]{2}"


def _hex_pattern() -> re.Pattern[bytes]:
    space, octet = _HEX_SPACE, _HEX_OCTET
    length = rb"(?:[0-7][0-9A-Fa-f]|80|81S.|82S.S.|83S.S.S.)"
    pattern = rb"30(?=S%b(?:S02S01S(?:0[01]S(?:02|04|30)|03S30)|S30S%bS06S(?:09|0[Aa])S2[Aa]S86))" % (length, length)
    return re.compile(pattern.replace(b"S.", b"S" + octet).replace(b"S", space))


_HEX = _hex_pattern()
# Arrays of octets in JSON and in print, with signs (Java) or without: `48, 130, …`.
_DECIMAL_SPACE = rb"[\s,]{1,12}"


def _decimal_pattern() -> re.Pattern[bytes]:
    # What may not stand before the number is looked at after it: the search begins with digits, and is far faster.
    pattern = rb"48(?<![\d.-]48)(?=S(?:NS){1,4}(?:2S1S[013]S|48S(?:NS){1,4}6S))"
    return re.compile(pattern.replace(b"NS", rb"-?\d{1,3}S").replace(b"S", _DECIMAL_SPACE))


_DECIMAL = _decimal_pattern()
_DECIMAL_NUMBER = re.compile(rb"-?\d+")
_DECIMAL_WINDOW, _MAX_DECIMALS = 4200, 350
_KEYSTORE_MAGICS = tuple(
    magic + bytes([0, 0, 0, version]) for magic in (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce") for version in (1, 2)
)
# The same in base64, in either alphabet, and in hex.
_KEYSTORE_TEXTS = (
    *(b"/u3+7QAAAA", b"_u3-7QAAAA", b"zs7OzgAAAA"),
    *(b"feedfeed0000000", b"FEEDFEED0000000", b"cececece0000000", b"CECECECE0000000"),
)
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ESCAPED_BREAK = re.compile(rb"\\[nrt]")
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_HEX_SEPARATORS = b": \t\r\n"


def has_any(text: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether one of the words stands in the text. A loop, as `any` takes three times as long."""
    for word in words:  # noqa: SIM110  see above
        if word in text:
            return True
    return False


def secrets_in(data: bytes, text: bytes) -> Iterator[Secret]:
    """What begins anywhere in the data, as DER, and in its text, which is the data itself or another form of it.

    Data with thousands of places that only look like a beginning was made to keep us busy, and counts as a key.
    """
    yield from _begun(data, _DER, lambda octets: octets)
    if has_any(data, _KEYSTORE_MAGICS) or has_any(text, _KEYSTORE_TEXTS):
        yield Secret.KEYSTORE
    yield from _begun(text, _BASE64, _from_base64)
    yield from _begun(text, _HEX, _from_hex)
    yield from _begun(text, _DECIMAL, _from_decimals, window=_DECIMAL_WINDOW)


def _begun(
    data: bytes, pattern: re.Pattern[bytes], decode: Callable[[bytes], bytes], *, window: int = _WINDOW
) -> Iterator[Secret]:
    for number, found in enumerate(pattern.finditer(data)):
        if number == _MAX_PLACES:
            yield Secret.PRIVATE_KEY
            return
        if kind := kind_of_beginning(decode(data[found.start() : found.start() + window])):
            yield kind


def kind_of_beginning(data: bytes) -> Secret | None:
    """What the data begins with, told by its first elements; the rest may be missing."""
    try:
        return _kind_of_sequence(data)
    except IndexError:
        return None


def _kind_of_sequence(data: bytes) -> Secret | None:
    """Raises IndexError where the data ends before its kind is clear."""
    _, start, end = _head(data, 0)
    tag, content, following = _head(data, start)
    if tag == der.SEQUENCE:
        is_encryption = _begins_with_oid(data, content, *_PBE_OIDS) and data[following] == der.OCTET_STRING
        return Secret.PRIVATE_KEY if is_encryption else None  # EncryptedPrivateKeyInfo (RFC 5208, 6)
    if tag != der.INTEGER or following - content != 1:
        return None
    version = data[content]
    tag, content, following = _head(data, following)
    if version == _PKCS12_VERSION:
        return Secret.KEYSTORE if _begins_with_oid(data, content, _PKCS7_OID) else None
    return Secret.PRIVATE_KEY if _is_private_key(data, version, tag, content, following, end) else None


def _is_private_key(data: bytes, version: int, tag: int, content: int, following: int, end: int) -> bool:
    """Told by the element after the version. A request has a name there, a certificate a second SEQUENCE after it."""
    length = following - content
    match tag:
        case der.INTEGER:
            return length >= _SMALLEST_MODULUS_OCTETS  # RSAPrivateKey (RFC 8017, A.1.2) and OpenSSL's DSA keys
        case der.OCTET_STRING:  # ECPrivateKey (RFC 5915, 3)
            is_last = following == end or following >= len(data)
            fits = version == _SEC1_VERSION and length in _SEC1_KEY_OCTETS
            return fits and (is_last or data[following] in (0xA0, 0xA1))
        case der.SEQUENCE:  # PrivateKeyInfo (RFC 5208, 5) and OneAsymmetricKey (RFC 5958, 2)
            return data[content] == der.OBJECT_IDENTIFIER and data[following] == der.OCTET_STRING
    return False


def _head(data: bytes, offset: int) -> tuple[int, int, int]:
    """The tag of the element at the offset, where its content begins, and where it ends, if that is said."""
    tag, length, start = data[offset], data[offset + 1], offset + 2
    if length == _INDEFINITE:
        return tag, start, -1
    if length > _INDEFINITE:
        octets = length & 0x7F
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    return tag, start, start + length


def _begins_with_oid(data: bytes, offset: int, *oids: bytes) -> bool:
    """Whether an object identifier below one of these begins at the offset."""
    return data[offset] == der.OBJECT_IDENTIFIER and data.startswith(oids, offset + 2)


def _from_base64(text: bytes) -> bytes:
    """As many octets as the text gives, whatever stands between its characters or after them."""
    if b"\\" in text:
        text = _ESCAPED_BREAK.sub(b"", text)
    kept = text.translate(_URL_SAFE).translate(None, _NOT_BASE64)
    return base64.b64decode(kept[: len(kept) // 4 * 4])


def _from_hex(text: bytes) -> bytes:
    digits = text.translate(None, _HEX_SEPARATORS)
    other = _NOT_HEX.search(digits)
    length = other.start() if other else len(digits)
    return binascii.unhexlify(digits[: length // 2 * 2])


def _from_decimals(text: bytes) -> bytes:
    """The octets up to the first number that is none."""
    octets = bytearray()
    for found in _DECIMAL_NUMBER.findall(text)[:_MAX_DECIMALS]:
        if len(found) > len("-128") or not -128 <= int(found) <= 255:
            break
        octets.append(int(found) & 0xFF)
    return bytes(octets)
