"""The only place that opens a key of a CA or its OCSP responder: encrypted PKCS#8 in ``CA_DIRECTORY``, mode 0600."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from certauthority.errors import SigningUnavailable
from certauthority.models import Authority
from certauthority.x509.certificates import CertificateFacts, read_certificate

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

KEY_ALGORITHMS = ("EC P-256", "EC P-384", "RSA 2048", "RSA 3072", "RSA 4096")


@dataclass(frozen=True, slots=True)
class Signer:
    """The certificate of a CA or of its OCSP responder, with the key that signs for it."""

    certificate: CertificateFacts
    key: PrivateKey


def key_path(name: str) -> Path:
    """Where the key of the authority with this name is kept."""
    return Path(settings.CA_DIRECTORY) / f"{name}.key.pem"


def spki(key: PrivateKey) -> bytes:
    """DER of the key's SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def create_key(name: str, algorithm: str = "") -> PrivateKey:
    """Make and store a key for a new authority; one left by an earlier, interrupted try is taken instead.

    The algorithm is that of the settings, unless one of ``KEY_ALGORITHMS`` is given.

    Raises:
        SigningUnavailable: the passphrase is missing, the directory cannot be written, or an old file does not open.
    """
    path = key_path(name)
    if path.exists():
        return _load(path)
    key = _generate(algorithm or settings.CA_KEY_ALGORITHM)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(_passphrase()))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        raise SigningUnavailable(
            f"The CA's key cannot be stored in {path.parent} ({error.strerror}). Make that directory writable."
        ) from error
    return key


def signer_of(authority: Authority) -> Signer:
    """The signer of one authority; a process opens each key once.

    Raises:
        SigningUnavailable: the key is missing, does not open, or belongs to another certificate.
    """
    return _signer(authority.name, bytes(authority.certificate.der))


def create_responder_key(authority: Authority) -> PrivateKey:
    """The key of an authority's OCSP responder, made where there is none: P-256, or RSA 2048 under an RSA CA.

    Whoever can verify the CA's signatures can verify the responder's, and it signs as fast as either allows.

    Raises:
        SigningUnavailable: as ``create_key``.
    """
    is_rsa = authority.certificate.key_description.startswith("RSA")
    return create_key(_responder_name(authority.name), "RSA 2048" if is_rsa else "EC P-256")


def responder_signer(authority_name: str, certificate: bytes) -> Signer:
    """The signer of an authority's OCSP responder, whose certificate is given as DER.

    Raises:
        SigningUnavailable: as ``signer_of``.
    """
    return _signer(_responder_name(authority_name), certificate)


def _responder_name(authority_name: str) -> str:
    """No authority has this name: theirs hold no dot."""
    return f"{authority_name}.ocsp"


def forget_keys() -> None:
    """Open every key anew at its next use: after a file or the passphrase was changed under a running process."""
    _signer.cache_clear()


def self_test() -> None:
    """Sign and verify with the newest key of every authority, as a process does before it serves.

    Raises:
        SigningUnavailable: naming the first authority that cannot sign.
    """
    for authority in Authority.objects.select_related("certificate"):
        signer_of(authority)


@cache
def _signer(name: str, der: bytes) -> Signer:
    facts = read_certificate(der)
    key = _load(key_path(name))
    if spki(key) != facts.public_key.spki:
        raise SigningUnavailable(
            f"The key file of the CA {name} belongs to another certificate. Restore the right one."
        )
    _prove(key, name)
    return Signer(certificate=facts, key=key)


def _load(path: Path) -> PrivateKey:
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise SigningUnavailable(
            f"The key file {path.name} of the CA cannot be read ({error.strerror}). Restore it from the backup."
        ) from error
    if path.stat().st_mode & 0o077:
        raise SigningUnavailable(f"The key file {path.name} of the CA can be read by others. Set its mode to 0600.")
    try:
        key = load_pem_private_key(pem, _passphrase())
    except (ValueError, TypeError):
        # Without `from`: the library's own text may quote the file.
        raise SigningUnavailable(
            f"The key file {path.name} of the CA does not open with CA_KEY_PASSPHRASE. "
            "Set the passphrase it was made with."
        ) from None
    if not isinstance(key, PrivateKey):
        raise SigningUnavailable(f"The key file {path.name} of the CA holds neither an RSA nor an EC key.")
    return key


def _passphrase() -> bytes:
    passphrase = str(settings.CA_KEY_PASSPHRASE)
    if not passphrase:
        raise SigningUnavailable("CA_KEY_PASSPHRASE is not set, so this process cannot sign. Set it and start again.")
    return passphrase.encode()


def _generate(algorithm: str) -> PrivateKey:
    if algorithm == "EC P-256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EC P-384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm in KEY_ALGORITHMS:
        return rsa.generate_private_key(65537, int(algorithm.removeprefix("RSA ")))
    raise SigningUnavailable(f"CA_KEY_ALGORITHM is {algorithm!r}. It must be one of {', '.join(KEY_ALGORITHMS)}.")


def _prove(key: PrivateKey, name: str) -> None:
    """Sign and verify a few bytes. A broken key is found here and not by a customer."""
    message = b"start-up self-test"
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
            key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
            key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise SigningUnavailable(
            f"The key of the CA {name} signs what it cannot verify. Restore it from the backup."
        ) from None
