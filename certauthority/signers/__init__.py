"""The only place that uses a key of a CA or of its OCSP responder, wherever it is kept: in a file or in a token.

``SIGNER`` says where the keys of the CAs are. Those of OCSP responders are files in either case: they sign thousands
of answers a second for whoever asks, and are replaced within a minute (docs/decisions/0012-signer.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from certauthority.errors import SigningUnavailable
from certauthority.models import Authority
from certauthority.signers import key_files, token, token_keys
from certauthority.signers.algorithms import KEY_ALGORITHMS, PrivateKey
from certauthority.signers.key_files import key_path
from certauthority.x509.certificates import CertificateFacts, read_certificate

__all__ = [
    "KEY_ALGORITHMS",
    "PrivateKey",
    "Signer",
    "create_key",
    "create_responder_key",
    "forget_keys",
    "key_path",
    "responder_signer",
    "self_test",
    "signer_of",
    "spki",
]

IN_TOKEN = "pkcs11"  # noqa: S105  a choice of SIGNER, no secret
# A token can go away under a running process: for so long its last proof counts. Anybody may ask /readyz.
PROOF_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Signer:
    """The certificate of a CA or of its OCSP responder, with the key that signs for it."""

    certificate: CertificateFacts
    key: PrivateKey


def spki(key: PrivateKey) -> bytes:
    """DER of the key's SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def create_key(name: str) -> PrivateKey:
    """Make and store a key for a new authority, of the algorithm and in the place that the settings name.

    A file left by an earlier, interrupted try is taken instead. In a token, which others may use, another key is made.

    Raises:
        SigningUnavailable: this process does not sign, or the key cannot be made or stored.
    """
    _check_that_this_process_signs()
    if settings.SIGNER != IN_TOKEN:
        return key_files.create(name, settings.CA_KEY_ALGORITHM)
    _check_that_no_file_is_there(name)
    return token_keys.create(name, settings.CA_KEY_ALGORITHM)


def signer_of(authority: Authority) -> Signer:
    """The signer of one authority; a process opens each key once.

    Raises:
        SigningUnavailable: this process does not sign, or the key is missing, does not open, or belongs to another
            certificate.
    """
    return _signer(authority.name, bytes(authority.certificate.der))


def create_responder_key(authority: Authority) -> PrivateKey:
    """The key of an authority's OCSP responder, made where there is none: P-256, or RSA 2048 under an RSA CA.

    Whoever can verify the CA's signatures can verify the responder's, and it signs as fast as either allows.

    Raises:
        SigningUnavailable: as ``create_key``.
    """
    _check_that_this_process_signs()
    is_rsa = authority.certificate.key_description.startswith("RSA")
    return key_files.create(_responder_name(authority.name), "RSA 2048" if is_rsa else "EC P-256")


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
    """Open every key anew at its next use: after a file or a secret was changed under a running process."""
    _signer.cache_clear()
    _proved_at.clear()
    token.forget()


def self_test() -> None:
    """Sign and verify with the key of every authority, as a process does before it serves.

    Raises:
        SigningUnavailable: naming the first authority that cannot sign.
    """
    for authority in Authority.objects.select_related("certificate"):
        signer = signer_of(authority)
        if time.monotonic() - _proved_at.get(authority.name, 0.0) >= PROOF_SECONDS:
            _prove(signer.key, authority.name)


_proved_at: dict[str, float] = {}


@cache
def _signer(name: str, der: bytes) -> Signer:
    _check_that_this_process_signs()
    facts = read_certificate(der)
    key = _load(name, facts)
    if spki(key) != facts.public_key.spki:
        raise SigningUnavailable(
            f"The key file of the CA {name} belongs to another certificate. Restore the right one."
        )
    _prove(key, name)
    return Signer(certificate=facts, key=key)


def _load(name: str, facts: CertificateFacts) -> PrivateKey:
    if settings.SIGNER != IN_TOKEN or "." in name:
        return key_files.load(name)
    _check_that_no_file_is_there(name)
    return token_keys.load(name, facts.public_key.spki)


def _check_that_this_process_signs() -> None:
    if not settings.SIGNS:
        raise SigningUnavailable(
            "This process does not sign, and has no key (SIGNS=false). Whoever runs the site must send such requests "
            "to a process that does."
        )


def _check_that_no_file_is_there(name: str) -> None:
    """A key that is in a token and in a file could be used without the token, and nobody would notice."""
    path = key_path(name)
    if path.exists():
        raise SigningUnavailable(
            f"There is a key file {path.name} for the CA {name}, although SIGNER is pkcs11. Set SIGNER=file if that is "
            "its key; if the key is in the token, take the file away."
        )


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
    _proved_at[name] = time.monotonic()
