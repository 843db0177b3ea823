"""Distinguished names: reading, showing (RFC 4514), and the digest by which two names are the same (RFC 5280, 7.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from . import der
from .errors import ProfileError, UnreadableInput
from .string_preparation import prepare

LABELS = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}
_OIDS = {label: der.write_oid(oid) for oid, label in LABELS.items()}
# The order in which our certificate authorities write a subject.
_SUBJECT_ORDER = ("C", "ST", "L", "O", "OU", "CN")
_PRINTABLE_STRING, _UTF8_STRING, _T61_STRING = 0x13, 0x0C, 0x14
_STRING_TYPES = {
    _UTF8_STRING: ("UTF8String", "utf-8"),
    0x12: ("NumericString", "ascii"),
    _PRINTABLE_STRING: ("PrintableString", "ascii"),
    0x16: ("IA5String", "ascii"),
    0x1A: ("VisibleString", "ascii"),
    0x1C: ("UniversalString", "utf-32-be"),
    0x1E: ("BMPString", "utf-16-be"),
}
# What RFC 4514, 2.4 asks to be escaped, and what would let one line look like another.
_ESCAPED = frozenset(',+"\\<>;')
_NOTHING_TO_ESCAPE = re.compile("[A-Za-z0-9._-](?:[A-Za-z0-9 ._-]*[A-Za-z0-9._-])?")
_TEXT_TYPES = frozenset(name for name, _ in _STRING_TYPES.values())
_MAX_ATTRIBUTES = 100


@dataclass(frozen=True, slots=True)
class NameAttribute:
    """One attribute of a name. ``label`` is the usual short name, or the digits of an unknown type.

    ``value`` is the text, or ``#`` and the DER in hex where the value is not text (RFC 4514, 2.4).
    """

    oid: str
    label: str
    value: str
    asn1_type: str

    @property
    def is_text(self) -> bool:
        """Whether the value is one of the string types."""
        return self.asn1_type in _TEXT_TYPES


@dataclass(frozen=True)
class DistinguishedName:
    """A name as it stands in a request or certificate, with its RDNs in the order of the DER."""

    der: bytes
    rdns: tuple[tuple[NameAttribute, ...], ...]

    @cached_property
    def attributes(self) -> tuple[NameAttribute, ...]:
        """All attributes, in the order of the DER."""
        return tuple(attribute for rdn in self.rdns for attribute in rdn)

    @cached_property
    def text(self) -> str:
        """The name in one line (RFC 4514): last RDN first, as ``openssl x509 -nameopt RFC2253,-esc_msb`` writes it."""
        return ",".join("+".join(_attribute_text(a) for a in reversed(rdn)) for rdn in reversed(self.rdns))

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, that equal names share: without regard to case, spaces, string type and order of RDNs."""
        rdns = sorted(_encode(sorted(_normalised(a) for a in rdn)) for rdn in self.rdns)
        return hashlib.sha256(_encode(rdns)).hexdigest()

    @cached_property
    def common_name(self) -> str:
        """The first CN, or nothing."""
        return next(iter(self.get("CN")), "")

    def get(self, label: str) -> tuple[str, ...]:
        """The values of the attributes with this label."""
        return tuple([attribute.value for attribute in self.attributes if attribute.label == label])


def _attribute_text(attribute: NameAttribute) -> str:
    return f"{attribute.label}={escape(attribute.value) if attribute.is_text else attribute.value}"


def escape(value: str) -> str:
    """A value as RFC 4514, 2.4 writes it; what cannot be seen is written as its UTF-8 octets in hex."""
    if _NOTHING_TO_ESCAPE.fullmatch(value):
        return value
    written = []
    for position, character in enumerate(value):
        at_edge = position in (0, len(value) - 1)
        if character in _ESCAPED or (character == " " and at_edge) or (character == "#" and position == 0):
            written.append("\\" + character)
        elif character.isprintable():
            written.append(character)
        else:
            written.extend(f"\\{octet:02X}" for octet in character.encode())
    return "".join(written)


def _encode(items: Sequence[bytes]) -> bytes:
    """Several octet strings as one, so that no two lists give the same octets."""
    return b"".join(len(item).to_bytes(4, "big") + item for item in items)


def _normalised(attribute: NameAttribute) -> bytes:
    text = prepare(attribute.value) if attribute.is_text else attribute.value
    kind = b"text" if attribute.is_text else b"octets"
    return _encode([attribute.oid.encode(), kind, text.encode()])


# A request's subject comes again in its certificate, and the issuer in all of them: with a name its digest is kept.
@lru_cache(maxsize=64)
def read_name(data: bytes) -> DistinguishedName:
    """A name from its DER.

    Raises UnreadableInput for what is not a name, and for what cannot be compared with certainty: an empty RDN, an
    RDN with one type twice (X.501, 9.3), a T61String, text that its string type does not allow.
    """
    try:
        rdns = tuple(_read_rdn(rdn) for rdn in der.read_one(data).expect(der.SEQUENCE).children())
    except der.DerError as error:
        raise UnreadableInput("input.name", "A name in this cannot be read: it is not what RFC 5280 allows.") from error
    if sum(len(rdn) for rdn in rdns) > _MAX_ATTRIBUTES:
        raise UnreadableInput("input.name", f"A name in this has more than {_MAX_ATTRIBUTES} attributes. Use fewer.")
    return DistinguishedName(data, rdns)


def _read_rdn(rdn: der.Element) -> tuple[NameAttribute, ...]:
    attributes = tuple(_read_attribute(pair) for pair in rdn.expect(der.SET).children())
    if not attributes:
        raise UnreadableInput("input.name", "A name in this has an empty part. Leave that part out.")
    types = [attribute.oid for attribute in attributes]
    if len(set(types)) < len(types):
        raise UnreadableInput(
            "input.name", "A name in this has the same attribute twice in one part. Write each attribute once."
        )
    return attributes


def _read_attribute(pair: der.Element) -> NameAttribute:
    parts = pair.expect(der.SEQUENCE).children()
    if len(parts) != 2:
        raise der.DerError("an attribute has a type and a value")
    oid, value = der.read_oid(parts[0]), parts[1]
    label = LABELS.get(oid, oid)
    if value.tag == _T61_STRING:
        raise UnreadableInput(
            "input.name", f"The value of {label} is a T61String, an old type without clear meaning. Use UTF8String."
        )
    if value.tag not in _STRING_TYPES:
        return NameAttribute(oid, label, f"#{value.raw.hex()}", f"tag {value.tag}")
    asn1_type, encoding = _STRING_TYPES[value.tag]
    try:
        return NameAttribute(oid, label, value.content.decode(encoding), asn1_type)
    except UnicodeDecodeError as error:
        raise UnreadableInput(
            "input.name", f"The value of {label} is not valid text for its type {asn1_type}. Use UTF8String."
        ) from error


def encode_subject(attributes: Sequence[tuple[str, str]]) -> bytes:
    """The DER of a subject from (label, value) pairs: C, ST, L, O, OU, CN in this order, each in an RDN of its own.

    C is a PrintableString, the others are UTF8Strings (RFC 5280, 4.1.2.4). Raises ProfileError for an unknown label, a
    repeated one, or an empty value.
    """
    labels = [label for label, _ in attributes]
    if len(set(labels)) < len(labels) or not set(labels) <= set(_SUBJECT_ORDER):
        raise ProfileError(f"A subject has each of {', '.join(_SUBJECT_ORDER)} at most once and nothing else.")
    if any(not value for _, value in attributes):
        raise ProfileError("A subject has no empty values.")
    ordered = sorted(attributes, key=lambda pair: _SUBJECT_ORDER.index(pair[0]))
    return der.write(der.SEQUENCE, b"".join(_encode_rdn(label, value) for label, value in ordered))


def _encode_rdn(label: str, value: str) -> bytes:
    tag, encoding = (_PRINTABLE_STRING, "ascii") if label == "C" else (_UTF8_STRING, "utf-8")
    try:
        text = der.write(tag, value.encode(encoding))
    except UnicodeEncodeError as error:
        raise ProfileError(f"The value of {label} cannot be written as {encoding}.") from error
    return der.write(der.SET, der.write(der.SEQUENCE, _OIDS[label] + text))
