"""What a piece of data is, told by its content and never by its name. Guesses about shape, no judgement."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from enum import StrEnum

from . import der
from .key_shapes import Secret, has_any, secrets_in


class Kind(StrEnum):
    """What an input can be."""

    CSR = "csr"
    CERTIFICATE = "certificate"
    PRIVATE_KEY = "private-key"
    PUBLIC_KEY = "public-key"
    PKCS12 = "pkcs12"
    JAVA_KEYSTORE = "java-keystore"
    PKCS7 = "pkcs7"
    CRL = "crl"
    EMPTY = "empty"
    UNKNOWN = "unknown"


_KEY_MATERIAL = frozenset({Kind.PRIVATE_KEY, Kind.PKCS12, Kind.JAVA_KEYSTORE})

# PEM, OpenSSH, PGP, SSH2, PuTTY and OpenSSL's -text say it in words; JSON Web Keys and .NET have forms of their own.
_ARMOURED_PRIVATE_KEY = re.compile(rb"(?:BEGIN|-END) [A-Z0-9 ]{0,40}PRIVATE KEY")
_PRIVATE_KEY_WORDS = (b"PUTTY-USER-KEY-FILE-", b"OPENSSH-KEY-V1", b"PRIVATE-KEY: (", b"PRIVATEEXPONENT")
_JSON_KEY_TYPE = re.compile(rb'"kty"\s{0,20}:')
_JSON_PRIVATE_PART = re.compile(rb'"(?:d|k)"\s{0,20}:')
_JSON_ESCAPE = re.compile(rb"\\(?:u00([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPED_BREAKS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_PVK_MAGIC = b"\x1e\xf1\xb5\xb0\x00\x00\x00\x00"
_JAVA_KEYSTORE_MAGICS = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
# The end of a line of armour in base64 (as in a Kubernetes secret), wherever its groups of three octets begin; then
# OpenSSH's and Microsoft's own formats in base64.
_PRIVATE_KEY_BASE64 = (
    *(base64.b64encode(b" " * shift + b"PRIVATE KEY-----")[shift + (shift > 0) :][:-4] for shift in range(3)),
    b"b3BlbnNzaC1rZXktdjE",
    b"HvG1sAAAAA",
)
# The same end of a line of armour as hex, and as an array of decimal numbers.
_ARMOUR_END = b"PRIVATE KEY-----"
_ARMOUR_IN_HEX = re.compile(rb"[:\s]?".join(b"%02x" % octet for octet in _ARMOUR_END), re.IGNORECASE)
# What may not stand before the first number is looked at after it: the search begins with digits, and is far faster.
_ARMOUR_IN_DECIMALS = re.compile(
    b"%d" % _ARMOUR_END[0]
    + rb"(?<!\d%d)" % _ARMOUR_END[0]
    + b"".join(rb"[\s,]{1,12}%d" % octet for octet in _ARMOUR_END[1:])
)
# JavaScript writes an array of octets as an object with their places as names.
_JSON_PLACE = re.compile(rb'"\d{1,7}"\s{0,12}:')
_PKCS7_ARC = "1.2.840.113549.1.7."
_PKCS12_VERSION = 3
_MAX_ROW = 1000


def plain_text(data: bytes) -> bytes:
    """PowerShell's ``>`` writes UTF-16 with a byte order mark: the same text in single octets."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode()
    return data


def holds_private_key(data: bytes) -> bool:
    """Whether a private key stands anywhere in the data, in any usual form, encrypted or not, whole or cut off.

    Words of PEM armour count by themselves. Keystores do not count, nor the keys in them: see ``holds_key_material``.
    """
    if _PVK_MAGIC in data or kind_of_der(data) is Kind.PRIVATE_KEY:
        return True
    return next(_found_in(data), None) is Secret.PRIVATE_KEY  # A keystore begins before the keys in it.


def holds_key_material(data: bytes) -> bool:
    """Whether a private key, a PKCS #12 file or a Java keystore stands anywhere in the data.

    A keystore counts even where it holds certificates alone: without its password nobody can tell, and certificates
    come as PEM, DER or PKCS #7.
    """
    return _PVK_MAGIC in data or kind_of_der(data) in _KEY_MATERIAL or next(_found_in(data), None) is not None


def _found_in(data: bytes) -> Iterator[Secret]:
    text = plain_text(data)
    forms = [text]
    if b"\x00" in text:
        forms.append(text.replace(b"\x00", b""))  # Any kind of UTF-16 is readable then, wherever it begins.
    if b"\\" in text:
        forms.append(_JSON_ESCAPE.sub(_unescaped, text))
    if b'"0"' in text or b'\\"0' in text:
        forms.append(_JSON_PLACE.sub(b"", forms[-1]))
    for form in forms:
        if _says_private_key(form):
            yield Secret.PRIVATE_KEY
        yield from secrets_in(data, form)


def _says_private_key(text: bytes) -> bool:
    upper = text.upper()
    if b"PRIVATE KEY" in upper and _ARMOURED_PRIVATE_KEY.search(upper):
        return True
    if has_any(upper, _PRIVATE_KEY_WORDS) or (b"<RSAKeyValue>" in text and b"<D>" in text):
        return True
    if b'"kty"' in text and _JSON_KEY_TYPE.search(text) and _JSON_PRIVATE_PART.search(text):
        return True
    if has_any(text, _PRIVATE_KEY_BASE64):
        return True
    return _ARMOUR_IN_HEX.search(text) is not None or _ARMOUR_IN_DECIMALS.search(text) is not None


def _unescaped(found: re.Match[bytes]) -> bytes:
    """One character of a JSON string."""
    code, letter = found.groups()
    return bytes.fromhex(code.decode()) if code else _ESCAPED_BREAKS.get(letter, letter)


def kind_of_der(data: bytes) -> Kind:
    """What the first DER value is, by its shape; a private key also where one is a later value in the row."""
    if data.startswith(_JAVA_KEYSTORE_MAGICS):
        return Kind.JAVA_KEYSTORE
    first, offset = _kind_of_ber(data), 0
    for _ in range(_MAX_ROW):
        if offset >= len(data) or data[offset] != der.SEQUENCE:
            break
        try:
            element = der.read_at(data, offset)
        except der.DerError:
            break
        kind = _kind_of_element(element)
        if kind is Kind.PRIVATE_KEY:
            return kind
        first = first if offset else kind
        offset += len(element.raw)
    return first


def _kind_of_ber(data: bytes) -> Kind:
    """PKCS #12 and PKCS #7 may be written with lengths that DER does not allow."""
    if data.startswith(b"\x30\x80\x02\x01\x03\x30"):
        return Kind.PKCS12
    if data.startswith(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"):
        return Kind.PKCS7
    return Kind.UNKNOWN


def _kind_of_element(element: der.Element) -> Kind:
    try:
        parts = element.expect(der.SEQUENCE).children()
        return _kind_of_parts(parts) if parts else Kind.UNKNOWN
    except der.DerError:
        return _kind_of_ber(element.raw)


def _kind_of_parts(parts: list[der.Element]) -> Kind:
    tags = [part.tag for part in parts]
    match tags:
        case [der.INTEGER, *_]:
            return _kind_of_numbered(parts, tags)
        case [der.OBJECT_IDENTIFIER, 0xA0]:
            return Kind.PKCS7 if der.read_oid(parts[0]).startswith(_PKCS7_ARC) else Kind.UNKNOWN
        case [der.SEQUENCE, der.OCTET_STRING]:
            return Kind.PRIVATE_KEY  # EncryptedPrivateKeyInfo (RFC 5208, 6)
        case [der.SEQUENCE, der.BIT_STRING]:
            return Kind.PUBLIC_KEY
        case [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
            return _kind_of_signed(parts[0].children())
    return Kind.UNKNOWN


def _kind_of_numbered(parts: list[der.Element], tags: list[int]) -> Kind:
    """Structures that begin with a number: private keys, a PKCS #1 public key, PKCS #12."""
    match tags[1:]:
        case [der.SEQUENCE, der.OCTET_STRING, *_]:
            return Kind.PRIVATE_KEY  # PrivateKeyInfo (RFC 5208, 5) and OneAsymmetricKey (RFC 5958, 2)
        case [der.OCTET_STRING, *_]:
            return Kind.PRIVATE_KEY  # ECPrivateKey (RFC 5915, 3)
        case [der.SEQUENCE, *_]:
            return Kind.PKCS12 if der.read_integer(parts[0]) == _PKCS12_VERSION else Kind.UNKNOWN
        case [der.INTEGER]:
            return Kind.PUBLIC_KEY  # RSAPublicKey (RFC 8017, A.1.1)
        case [der.INTEGER, der.INTEGER, der.INTEGER, der.INTEGER, *_]:
            return Kind.PRIVATE_KEY  # RSAPrivateKey (RFC 8017, A.1.2) and OpenSSL's DSA keys
    return Kind.UNKNOWN


def _kind_of_signed(parts: list[der.Element]) -> Kind:
    """Certificates, requests and revocation lists are all SEQUENCE { what is signed, algorithm, signature }."""
    tags = [part.tag for part in parts]
    if tags[:1] == [0xA0]:
        return Kind.CERTIFICATE
    if der.UTC_TIME in tags[:4] or der.GENERALIZED_TIME in tags[:4]:
        return Kind.CRL
    match tags:
        case [der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, der.SEQUENCE, *_]:
            return Kind.CERTIFICATE  # version 1, whose number is left out
        case [der.INTEGER, der.SEQUENCE, der.SEQUENCE, *_]:
            return Kind.CSR
    return Kind.UNKNOWN
