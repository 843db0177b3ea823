"""Signature algorithms: read from their AlgorithmIdentifier and judged before any signature is verified."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from . import der
from .errors import UnreadableInput
from .verdicts import Verdict

HASHES = ("SHA-256", "SHA-384", "SHA-512")

Scheme = Literal["RSA PKCS #1 v1.5", "ECDSA", "other"]
_RSA: Scheme = "RSA PKCS #1 v1.5"
_ECDSA: Scheme = "ECDSA"
_ALGORITHMS: dict[str, tuple[str, Scheme, str]] = {
    "1.2.840.113549.1.1.2": ("md2WithRSAEncryption", _RSA, "MD2"),
    "1.2.840.113549.1.1.3": ("md4WithRSAEncryption", _RSA, "MD4"),
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", _RSA, "MD5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", _RSA, "SHA-1"),
    "1.3.14.3.2.29": ("sha1WithRSA", _RSA, "SHA-1"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", _RSA, "SHA-224"),
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", _RSA, "SHA-256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", _RSA, "SHA-384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", _RSA, "SHA-512"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", _ECDSA, "SHA-1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", _ECDSA, "SHA-224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", _ECDSA, "SHA-256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", _ECDSA, "SHA-384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", _ECDSA, "SHA-512"),
    "1.2.840.10040.4.3": ("dsa-with-SHA1", "other", "SHA-1"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-SHA256", "other", "SHA-256"),
    "1.3.101.112": ("Ed25519", "other", ""),
    "1.3.101.113": ("Ed448", "other", ""),
}
_PSS = "1.2.840.113549.1.1.10"
_HASHES = {
    "1.3.14.3.2.26": "SHA-1",
    "2.16.840.1.101.3.4.2.4": "SHA-224",
    "2.16.840.1.101.3.4.2.1": "SHA-256",
    "2.16.840.1.101.3.4.2.2": "SHA-384",
    "2.16.840.1.101.3.4.2.3": "SHA-512",
}
_NULL = b"\x05\x00"


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """``name`` as standards write it; ``hash_name`` such as SHA-256, empty where the algorithm names none.

    ``parameters_ok``: NULL or absent for RSA (RFC 4055, 5), absent for ECDSA (RFC 5758, 3.2).
    """

    oid: str
    name: str
    scheme: Scheme
    hash_name: str
    parameters_ok: bool


@lru_cache(maxsize=64)
def read_signature_algorithm(identifier: bytes) -> SignatureAlgorithm:
    """From the DER of an AlgorithmIdentifier. Raises UnreadableInput."""
    try:
        first, *parameters = der.read_one(identifier).expect(der.SEQUENCE).children()
        oid = der.read_oid(first)
    except ValueError as error:  # DerError is one, and so is a missing part.
        raise UnreadableInput(
            "input.signature-algorithm", "The signature algorithm in this cannot be read. Make it again."
        ) from error
    raw = b"".join(parameter.raw for parameter in parameters)
    if oid == _PSS:
        return SignatureAlgorithm(oid, "RSASSA-PSS", "other", _hash_of_pss(parameters), True)
    name, scheme, hash_name = _ALGORITHMS.get(oid, (oid, "other", ""))
    parameters_ok = raw == b"" or scheme == "other" or (scheme == _RSA and raw == _NULL)
    return SignatureAlgorithm(oid, name, scheme, hash_name, parameters_ok)


def _hash_of_pss(parameters: list[der.Element]) -> str:
    """The hash in RSASSA-PSS-params, whose default is SHA-1 (RFC 8017, A.2.3)."""
    try:
        fields = parameters[0].expect(der.SEQUENCE).children()
        if not fields or fields[0].tag != 0xA0:
            return "SHA-1"
        return _HASHES.get(der.read_oid(fields[0].children()[0].children()[0]), "")
    except (der.DerError, IndexError):
        return ""


# Nothing but the algorithm is judged, and there are few.
@lru_cache(maxsize=64)
def judge_signature_algorithm(algorithm: SignatureAlgorithm) -> tuple[Verdict, ...]:
    """The rules about hash, scheme and parameters, kept or broken."""
    return (_judge_hash(algorithm), _judge_scheme(algorithm), _judge_parameters(algorithm))


def _judge_hash(algorithm: SignatureAlgorithm) -> Verdict:
    return Verdict(
        "sig.hash",
        "Hash of the signature",
        algorithm.hash_name in HASHES,
        algorithm.hash_name or f"none that is known ({algorithm.name})",
        "SHA-256, SHA-384 or SHA-512",
        "NIST SP 800-131A, 9; house rule",
    )


def _judge_scheme(algorithm: SignatureAlgorithm) -> Verdict:
    found = algorithm.scheme if algorithm.scheme != "other" else algorithm.name
    return Verdict(
        "sig.scheme",
        "Signature scheme",
        algorithm.scheme != "other",
        found,
        "RSA PKCS #1 v1.5 or ECDSA",
        "RFC 8017, 8.2; RFC 5758, 3.2; house rule",
    )


def _judge_parameters(algorithm: SignatureAlgorithm) -> Verdict:
    return Verdict(
        "sig.parameters",
        "Parameters of the signature algorithm",
        algorithm.parameters_ok,
        "as the standard asks" if algorithm.parameters_ok else "others than the standard asks",
        "NULL or none for RSA, none for ECDSA",
        "RFC 4055, 5; RFC 5758, 3.2",
    )
