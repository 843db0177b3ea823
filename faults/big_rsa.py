"""A CSR with an RSA key of 16,384 bits, and a signature that is right.

A key of two primes takes minutes to find; one of sixteen short ones has the same length and takes a second (RFC 8017,
3.2 allows it). Only the signature's arithmetic knows of them.
"""

from __future__ import annotations

import hashlib
import math

from asn1crypto import csr, keys, pem, x509
from cryptography.hazmat.primitives.asymmetric import rsa

PRIMES, PRIME_BITS, EXPONENT = 16, 1025, 65_537
# DigestInfo of SHA-256 up to the digest itself (RFC 8017, 9.2).
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def _primes() -> list[int]:
    """Distinct primes for which the exponent has an inverse."""
    found: set[int] = set()
    while len(found) < PRIMES:
        numbers = rsa.generate_private_key(EXPONENT, 2 * PRIME_BITS).private_numbers()
        found |= {numbers.p, numbers.q}
    return sorted(found)[:PRIMES]


def _signature(primes: list[int], message: bytes) -> bytes:
    """PKCS#1 v1.5 over SHA-256, by the Chinese remainder theorem."""
    modulus = math.prod(primes)
    length = (modulus.bit_length() + 7) // 8
    tail = DIGEST_INFO + hashlib.sha256(message).digest()
    padded = int.from_bytes(b"\x00\x01" + b"\xff" * (length - len(tail) - 3) + b"\x00" + tail, "big")
    signature = 0
    for prime in primes:
        rest = modulus // prime
        power = pow(padded, pow(EXPONENT, -1, prime - 1), prime)
        signature += power * rest * pow(rest, -1, prime)
    return (signature % modulus).to_bytes(length, "big")


def request() -> bytes:
    """PEM of the CSR."""
    primes = _primes()
    key = keys.RSAPublicKey({"modulus": math.prod(primes), "public_exponent": EXPONENT})
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": x509.Name.build({"common_name": "big"}),
            "subject_pk_info": keys.PublicKeyInfo.wrap(key, "rsa"),
            "attributes": [],
        }
    )
    signed = csr.CertificationRequest(
        {
            "certification_request_info": info,
            "signature_algorithm": {"algorithm": "sha256_rsa"},
            "signature": _signature(primes, info.dump()),
        }
    )
    return bytes(pem.armor("CERTIFICATE REQUEST", signed.dump()))
