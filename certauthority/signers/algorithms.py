"""Which keys a CA can have, and how they are made outside a token."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certauthority.errors import SigningUnavailable

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

KEY_ALGORITHMS = ("EC P-256", "EC P-384", "RSA 2048", "RSA 3072", "RSA 4096")
CURVES: dict[str, ec.EllipticCurve] = {"EC P-256": ec.SECP256R1(), "EC P-384": ec.SECP384R1()}


def check_algorithm(algorithm: str) -> None:
    """Raises SigningUnavailable for an algorithm that no CA can have."""
    if algorithm not in KEY_ALGORITHMS:
        raise SigningUnavailable(f"CA_KEY_ALGORITHM is {algorithm!r}. It must be one of {', '.join(KEY_ALGORITHMS)}.")


def rsa_bits(algorithm: str) -> int:
    """The size of an RSA key's modulus."""
    return int(algorithm.removeprefix("RSA "))


def generate(algorithm: str) -> PrivateKey:
    """A new key. Raises SigningUnavailable for an algorithm that no CA can have."""
    check_algorithm(algorithm)
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    return rsa.generate_private_key(65537, rsa_bits(algorithm))
