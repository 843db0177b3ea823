"""A strict reader and a small writer of DER (X.690), enough to cut X.509 objects into their parts."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
# A real OBJECT IDENTIFIER is far shorter; one of 100 kB would cost quadratic time to write out in digits.
_MAX_OID_OCTETS = 64


class DerError(ValueError):
    """The octets are not DER, or not the structure that was asked for. Never leaves the package."""


class Element(NamedTuple):
    """One DER value: its tag octet, its content, and all of it (``raw``)."""

    tag: int
    content: bytes
    raw: bytes

    def children(self) -> list[Element]:
        """The values inside this one, which must be constructed. Raises DerError."""
        if not self.tag & 0x20:
            raise DerError("not a constructed value")
        return read_all(self.content)

    def expect(self, tag: int) -> Element:
        """This value, when it has the tag. Raises DerError."""
        if self.tag != tag:
            raise DerError("a value of another type was expected")
        return self


# What a named tuple makes itself with; its own `__new__` is a step more, and fifty elements are read per certificate.
_element = tuple.__new__


def read_at(data: bytes, offset: int = 0) -> Element:
    """The value that begins at the offset. Raises DerError."""
    if len(data) < offset + 2:
        raise DerError("the data ends too early")
    tag, length, start = data[offset], data[offset + 1], offset + 2
    if tag & 0x1F == 0x1F:
        raise DerError("tags of more than one octet do not occur here")
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or len(data) < start + octets or data[start] == 0:
            raise DerError("a length that DER does not allow")
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
        if length < 0x80:
            raise DerError("a length that is not written in the shortest way")
    end = start + length
    if end > len(data):
        raise DerError("the data ends too early")
    return _element(Element, (tag, data[start:end], data[offset:end]))


def read_one(data: bytes) -> Element:
    """The only value in the data. Raises DerError when there is none, or anything after it."""
    element = read_at(data)
    if len(element.raw) != len(data):
        raise DerError("something follows the value")
    return element


def read_all(data: bytes) -> list[Element]:
    """All values, one after the other. Raises DerError."""
    elements = []
    offset, end = 0, len(data)
    while offset < end:
        start = offset + 2
        # Nearly all have a tag and a length of one octet each; the others, and whatever is wrong, are `read_at`'s.
        if start > end or data[offset] & 0x1F == 0x1F or (length := data[offset + 1]) & 0x80 or start + length > end:
            elements.append(read_at(data, offset))
            offset += len(elements[-1].raw)
            continue
        stop = start + length
        elements.append(_element(Element, (data[offset], data[start:stop], data[offset:stop])))
        offset = stop
    return elements


def read_oid(element: Element) -> str:
    """An object identifier in dotted digits. Raises DerError."""
    return _dotted(element.expect(OBJECT_IDENTIFIER).content)


# The same few stand in every certificate.
@lru_cache(maxsize=256)
def _dotted(content: bytes) -> str:
    if not content or len(content) > _MAX_OID_OCTETS or content[-1] & 0x80:
        raise DerError("an object identifier that cannot be read")
    arcs: list[int] = []
    value, fresh = 0, True
    for octet in content:
        if fresh and octet == 0x80:
            raise DerError("an object identifier that is not written in the shortest way")
        value, fresh = value << 7 | octet & 0x7F, not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def read_integer(element: Element) -> int:
    """A whole number. Raises DerError."""
    content = element.expect(INTEGER).content
    if not content or (len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1))):
        raise DerError("a number that is not written in the shortest way")
    return int.from_bytes(content, "big", signed=True)


def write(tag: int, content: bytes) -> bytes:
    """One value with its tag and length."""
    return header(tag, len(content)) + content


def header(tag: int, length: int) -> bytes:
    """Tag and length of a value whose content has so many octets, and is written by the caller."""
    if length < 0x80:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def write_oid(dotted: str) -> bytes:
    """An object identifier from its dotted digits."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = b""
    for arc in (40 * first + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(octets))
    return write(OBJECT_IDENTIFIER, content)
