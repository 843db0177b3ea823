"""The exact bytes of the encryption that every program of our users reads."""

from __future__ import annotations

import re

SALT_AND_IV = re.compile(
    re.escape(bytes.fromhex("306006092a864886f70d01050d3053"))  # PBES2
    + re.escape(bytes.fromhex("303206092a864886f70d01050c30250410"))  # PBKDF2, salt of 16 bytes
    + b"(.{16})"
    + re.escape(bytes.fromhex("02030186a0"))  # 100,000 iterations, and no keyLength after it
    + re.escape(bytes.fromhex("300c06082a864886f70d02090500"))  # hmacWithSHA256 with NULL
    + re.escape(bytes.fromhex("301d060960864801650304012a0410"))  # AES-256-CBC, IV of 16 bytes
    + b"(.{16})",
    re.DOTALL,
)


def salt_and_iv(algorithm: bytes) -> tuple[bytes, bytes]:
    """Salt and IV of a DER AlgorithmIdentifier; an AssertionError where anything else differs from ours."""
    match = SALT_AND_IV.fullmatch(algorithm)
    assert match, algorithm.hex()
    return match[1], match[2]
