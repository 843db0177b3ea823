"""Keys in files of mode 0600: those of the CAs as encrypted PKCS#8 in ``CA_DIRECTORY``, all under one passphrase.

The key of a server certificate is not encrypted, because whoever serves has no passphrase.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings

from certauthority.errors import SigningUnavailable
from certauthority.signers.algorithms import PrivateKey, generate

SUFFIX = ".key.pem"


def key_path(name: str) -> Path:
    """Where the key of the authority with this name is kept, if it is in a file."""
    return Path(settings.CA_DIRECTORY) / f"{name}{SUFFIX}"


def create(name: str, algorithm: str) -> PrivateKey:
    """Make and store a key; one left by an earlier, interrupted try is taken instead.

    Raises:
        SigningUnavailable: the passphrase is missing, the directory cannot be written, or an old file does not open.
    """
    path = key_path(name)
    if path.exists():
        return load(name)
    key = generate(algorithm)
    pem = encrypt(key, _passphrase())
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, pem)
    except OSError as error:
        raise SigningUnavailable(
            f"The CA's key cannot be stored in {path.parent} ({error.strerror}). Make that directory writable."
        ) from error
    return key


def load(name: str) -> PrivateKey:
    """Open the key of an authority, or of a responder.

    Raises:
        SigningUnavailable: the file is missing, open to others, or does not open with the passphrase.
    """
    path = key_path(name)
    try:
        pem = path.read_bytes()
    except FileNotFoundError as error:
        raise SigningUnavailable(
            f"The key file {path.name} of the CA cannot be read ({error.strerror}). Restore it from the backup; if the "
            "key is in a token, set SIGNER=pkcs11."
        ) from error
    except OSError as error:
        raise SigningUnavailable(
            f"The key file {path.name} of the CA cannot be read ({error.strerror}). Restore it from the backup."
        ) from error
    if path.stat().st_mode & 0o077:
        raise SigningUnavailable(f"The key file {path.name} of the CA can be read by others. Set its mode to 0600.")
    try:
        key = decrypt(pem, _passphrase())
    except ValueError:
        # Without `from`: the library's own text may quote the file.
        raise SigningUnavailable(
            f"The key file {path.name} of the CA does not open with CA_KEY_PASSPHRASE. "
            "Set the passphrase it was made with."
        ) from None
    if not isinstance(key, PrivateKey):
        raise SigningUnavailable(f"The key file {path.name} of the CA holds neither an RSA nor an EC key.")
    return key


def encrypt(key: PrivateKey, passphrase: bytes) -> bytes:
    """Encrypted PKCS#8 as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))


def decrypt(pem: bytes, passphrase: bytes) -> object:
    """The key in a PEM file. Raises ValueError where the passphrase does not open it, or it was never encrypted."""
    try:
        return load_pem_private_key(pem, passphrase)
    except TypeError:
        raise ValueError("it is not encrypted") from None


def load_unencrypted(path: Path) -> PrivateKey | None:
    """The key in a file that its owner alone can read; None where there is no such key.

    One that others may have read is as good as none.
    """
    try:
        if path.stat().st_mode & 0o077:
            return None
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, PrivateKey) else None


def write_unencrypted(path: Path, key: PrivateKey) -> None:
    """Store the key of a server certificate. Raises OSError."""
    write_whole(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, all of it or nothing. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # Of a process that had this number and was killed, as happens in containers.
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """See that the names of its files last. Raises OSError."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _passphrase() -> bytes:
    passphrase = str(settings.CA_KEY_PASSPHRASE)
    if not passphrase:
        raise SigningUnavailable("CA_KEY_PASSPHRASE is not set, so this process cannot sign. Set it and start again.")
    return passphrase.encode()
