"""What must not leave a browser, in every form in which it could, and the search for it."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

# A leak of twice as many octets in a row holds at least one whole piece, wherever it begins. Chance finds none: 16
# octets are 128 bits.
PIECE = 16
DIGITS = 38


@dataclass(frozen=True, slots=True)
class Needle:
    """Octets that must not be found, and what they are of."""

    name: str
    form: str
    octets: bytes


def secret_numbers(key: PrivateKey) -> dict[str, int]:
    """Each number of a key that nobody else may know; one of them is enough to have the key."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        return {
            "d": numbers.d,
            "p": numbers.p,
            "q": numbers.q,
            "dP": numbers.dmp1,
            "dQ": numbers.dmq1,
            "qInv": numbers.iqmp,
        }
    return {"d": key.private_numbers().private_value}


def needles_of_key(key: PrivateKey) -> list[Needle]:
    """The key's PKCS #8 and each of its secret numbers, in every form."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = [*needles_of_octets("PKCS #8", der, public=public), Needle("PKCS #8", "PEM", b"PRIVATE KEY-----")]
    for name, number in secret_numbers(key).items():
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        found += needles_of_octets(name, octets)
        found += needles_of_octets(f"{name}, least first", octets[::-1])
        found += [Needle(name, "decimal", piece) for piece in _pieces(str(number).encode(), DIGITS)]
    return found


def needles_of_octets(name: str, octets: bytes, *, public: bytes = b"") -> list[Needle]:
    """Binary in every form, cut into pieces; those that stand in ``public`` are no secret.

    Base64 shows only some bits of the first and last octets, so these do not tell a secret piece from a public one.
    """
    pieces = [piece for piece in _pieces(octets, PIECE) if not public or piece[2:-2] not in public]
    return [Needle(name, form, coded) for piece in pieces for form, coded in _forms(piece)]


def needles_of_text(name: str, text: str) -> list[Needle]:
    """A password or the like, in every form."""
    octets = text.encode()
    forms = [
        ("as it is", octets),
        ("percent-encoded", quote(text, safe="").encode()),
        ("percent-encoded as a form", quote(text, safe="*-._ ").replace(" ", "+").encode()),
        ("JSON", json.dumps(text)[1:-1].encode()),
        ("Python", repr(text)[1:-1].encode()),
        ("HTML", text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").encode()),
        ("decimal octets", ",".join(map(str, octets)).encode()),
    ]
    for encoding in ("utf-8", "utf-16-be", "utf-16-le"):
        forms += [(f"{encoding} {form}", coded) for form, coded in _forms(text.encode(encoding))]
    return [Needle(name, form, coded) for form, coded in dict(forms).items()]


def found_in(haystack: bytes, needles: list[Needle]) -> list[str]:
    """Which of them stand there, also where the haystack is percent-encoded."""
    plain = unquote_to_bytes(haystack)
    return sorted({f"{n.name}: {n.form}" for n in needles if n.octets in haystack or n.octets in plain})


def _forms(octets: bytes) -> Iterator[tuple[str, bytes]]:
    yield "raw", octets
    for form, coded in (("hex", octets.hex()), ("hex with colons", octets.hex(":"))):
        yield form, coded.encode()
        yield f"{form}, capitals", coded.upper().encode()
    yield "decimal octets", ",".join(map(str, octets)).encode()
    for before in range(3):
        yield f"base64 from octet {before}", _base64_inside(octets, before, b64encode)
        yield f"base64url from octet {before}", _base64_inside(octets, before, urlsafe_b64encode)


def _base64_inside(octets: bytes, before: int, encode: Callable[[bytes], bytes]) -> bytes:
    """The characters that these octets alone decide where so many others stand before them in a group of three."""
    coded = encode(b"\0" * before + octets)
    begin = (0, 2, 3)[before]
    spoilt_at_end = (0, 3, 2)[(before + len(octets)) % 3]
    return coded[begin : len(coded) - spoilt_at_end]


def _pieces(octets: bytes, size: int) -> list[bytes]:
    """Neighbouring pieces of this size; what is left over at the end goes with the last ones as a piece of its own."""
    if len(octets) <= size:
        return [octets]
    starts = [*range(0, len(octets) - size + 1, size), len(octets) - size]
    return [octets[start : start + size] for start in dict.fromkeys(starts)]
