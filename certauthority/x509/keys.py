"""Public keys: what they are, and whether they are good enough to be certified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from cryptography.hazmat.primitives.serialization import load_der_public_key

from . import der
from .errors import UnreadableInput
from .signature_algorithms import SignatureAlgorithm, judge_signature_algorithm, read_signature_algorithm
from .verdicts import Verdict
from .weak_keys import weaknesses

__all__ = [
    "KEY_TYPES",
    "KeyType",
    "PublicKeyFacts",
    "SignatureAlgorithm",
    "judge_key",
    "judge_signature_algorithm",
    "read_public_key",
    "read_signature_algorithm",
]

RSA_SIZES = (2048, 3072, 4096)
RSA_EXPONENT = 65537
CURVES = ("P-256", "P-384")
# Every type of key that is accepted, as ``PublicKeyFacts.description`` names it.
KeyType = Literal["RSA 2048", "RSA 3072", "RSA 4096", "EC P-256", "EC P-384"]
KEY_TYPES: tuple[KeyType, ...] = get_args(KeyType)
WANTED_KEY = "RSA with 2048, 3072 or 4096 bits, or EC on P-256 or P-384"

_RSA = "1.2.840.113549.1.1.1"
_EC = "1.2.840.10045.2.1"
_CURVES = {
    "1.2.840.10045.3.1.1": ("P-192", 192),
    "1.3.132.0.33": ("P-224", 224),
    "1.2.840.10045.3.1.7": ("P-256", 256),
    "1.3.132.0.10": ("secp256k1", 256),
    "1.3.132.0.34": ("P-384", 384),
    "1.3.132.0.35": ("P-521", 521),
}
_OTHER_KEYS = {
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.10040.4.1": "DSA",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
# Beyond this, arithmetic costs more than a refusal is worth (the sizes alone refuse the key).
_MAX_CHECKED_MODULUS_BITS = 4096
_MAX_CHECKED_EXPONENT_BITS = 4096
_BAD_KEY = "The public key in this cannot be read. Make a new key and request."


@dataclass(frozen=True, slots=True)
class PublicKeyFacts:
    """What a public key is.

    ``size`` in bits; ``curve`` is a name such as P-256, ``explicit`` for parameters without a name, or the digits of
    an unknown curve; ``exponent`` is RSA's. ``spki`` is the DER of the SubjectPublicKeyInfo, ``fingerprint`` its
    SHA-256 in hex. ``modulus`` is RSA's, else 0.
    """

    kind: Literal["RSA", "EC", "other"]
    size: int
    curve: str
    exponent: int
    spki: bytes
    fingerprint: str
    description: str
    modulus: int = 0


# The key of a request comes again in its certificate.
@lru_cache(maxsize=64)
def read_public_key(spki: bytes) -> PublicKeyFacts:
    """The facts of a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). Raises UnreadableInput.

    A key of an accepted kind and size is also loaded, which refuses points off the curve and impossible numbers.
    """
    try:
        algorithm, key = der.read_one(spki).expect(der.SEQUENCE).children()
        oid, *parameters = algorithm.expect(der.SEQUENCE).children()
        bits = key.expect(der.BIT_STRING).content
        if bits[:1] != b"\x00":
            raise der.DerError("a key is a whole number of octets")
        facts = _facts(spki, der.read_oid(oid), parameters, bits[1:])
    except ValueError as error:  # DerError is one, and so is a wrong number of parts.
        raise UnreadableInput("input.key", _BAD_KEY) from error
    if _has_accepted_form(facts):
        _load(spki)
    return facts


def _load(spki: bytes) -> None:
    try:
        load_der_public_key(spki)
    except Exception as error:  # The library raises more than ValueError; whatever it is, the key is not readable.
        raise UnreadableInput("input.key", _BAD_KEY) from error


def _facts(spki: bytes, algorithm: str, parameters: list[der.Element], key: bytes) -> PublicKeyFacts:
    fingerprint = hashlib.sha256(spki).hexdigest()
    if algorithm == _RSA:
        modulus, exponent = (der.read_integer(part) for part in der.read_one(key).expect(der.SEQUENCE).children())
        if modulus <= 0 or exponent <= 0:
            raise der.DerError("the numbers of an RSA key are positive")
        size = modulus.bit_length()
        return PublicKeyFacts("RSA", size, "", exponent, spki, fingerprint, f"RSA {size}", modulus)
    if algorithm == _EC:
        curve, size = _curve(parameters)
        return PublicKeyFacts("EC", size, curve, 0, spki, fingerprint, f"EC {curve}")
    description = _OTHER_KEYS.get(algorithm, f"type {algorithm}")
    return PublicKeyFacts("other", 0, "", 0, spki, fingerprint, description)


def _curve(parameters: list[der.Element]) -> tuple[str, int]:
    """The curve's name and size in bits. RFC 5480, 2.1.1: only a named curve is allowed."""
    (parameter,) = parameters
    if parameter.tag == der.SEQUENCE:
        return "explicit", 0
    oid = der.read_oid(parameter)
    return _CURVES.get(oid, (oid, 0))


def _has_accepted_form(key: PublicKeyFacts) -> bool:
    if key.kind == "RSA":
        return key.size in RSA_SIZES and key.exponent == RSA_EXPONENT
    return key.curve in CURVES


def judge_key(key: PublicKeyFacts) -> tuple[Verdict, ...]:
    """Every rule about the key, kept or broken. Known weaknesses are looked for unless the numbers are oversized."""
    verdicts = [_judge_type(key)]
    if key.kind == "RSA":
        verdicts += [_judge_rsa_size(key), _judge_rsa_exponent(key)]
        if key.size <= _MAX_CHECKED_MODULUS_BITS and key.exponent.bit_length() <= _MAX_CHECKED_EXPONENT_BITS:
            verdicts.append(_judge_weakness(key))
    if key.kind == "EC":
        verdicts.append(_judge_curve(key))
    return tuple(verdicts)


def _judge_type(key: PublicKeyFacts) -> Verdict:
    found = key.kind if key.kind != "other" else key.description
    return Verdict(
        "key.type", "Type of key", key.kind != "other", found, "RSA or EC", "RFC 3279, 2.3.1; RFC 5480, 2.1; house rule"
    )


def _judge_rsa_size(key: PublicKeyFacts) -> Verdict:
    return Verdict(
        "key.rsa-size",
        "Size of the RSA key",
        key.size in RSA_SIZES,
        f"{key.size} bits",
        "2048, 3072 or 4096 bits",
        "NIST SP 800-57 Part 1, 5.6.1; house rule",
    )


def _judge_rsa_exponent(key: PublicKeyFacts) -> Verdict:
    digits = str(key.exponent) if key.exponent.bit_length() <= 64 else f"a number of {key.exponent.bit_length()} bits"
    return Verdict(
        "key.rsa-exponent",
        "Public exponent of the RSA key",
        key.exponent == RSA_EXPONENT,
        digits,
        str(RSA_EXPONENT),
        "NIST SP 800-56B, 6.2; house rule",
    )


def _judge_curve(key: PublicKeyFacts) -> Verdict:
    found = "parameters without a name" if key.curve == "explicit" else key.curve
    return Verdict(
        "key.curve", "Curve of the EC key", key.curve in CURVES, found, "P-256 or P-384, by name", "RFC 5480, 2.1.1"
    )


def _judge_weakness(key: PublicKeyFacts) -> Verdict:
    found = weaknesses(key.modulus, key.exponent)
    return Verdict(
        "key.weak",
        "No known weakness of the key",
        not found,
        "; ".join(found) or "none found",
        "a key without a known weakness: make a new one with an up-to-date OpenSSL",
        "CA/Browser Forum Baseline Requirements, 6.1.1.3",
    )
