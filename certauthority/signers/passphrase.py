"""Change the passphrase of all key files together.

Every file is first written anew beside the old one and read back; only then does each take the old one's place. What a
crash leaves half done is finished by the same command: a file that opens with the new passphrase already is left alone.
Where a file cannot be put in its place, those before it are put back.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from certauthority.errors import CAError, SigningUnavailable
from certauthority.signers import key_files
from certauthority.signers.algorithms import PrivateKey

_FRESH, _OLD = ".new", ".old"


def change(*, old: str, new: str) -> list[str]:
    """Encrypt every key file with the new passphrase, and return the names of those that were changed.

    Raises:
        CAError: a file opens with neither passphrase, there is none, or they cannot be written. Then all are as before.
    """
    directory = Path(settings.CA_DIRECTORY)
    try:
        with _held(directory):
            return _change(directory, old.encode(), new.encode())
    except OSError as error:
        raise CAError(
            f"The key files in {directory} cannot be changed ({error.strerror}), and all are as they were. Make that "
            "directory writable."
        ) from error


def _change(directory: Path, old: bytes, new: bytes) -> list[str]:
    files = sorted(directory.glob(f"*{key_files.SUFFIX}"))
    if not files:
        raise CAError(f"There is no key file in {directory}. Run manage.py create_authorities first.")
    changed = {path: again for path in files if (again := _encrypted_anew(path, old, new))}
    try:
        for path, pem in changed.items():
            key_files.write_whole(_beside(path, _FRESH), pem)
            _beside(path, _OLD).unlink(missing_ok=True)
            os.link(path, _beside(path, _OLD))
        for path in changed:
            _beside(path, _FRESH).rename(path)
    except BaseException:
        # By renaming alone, which needs no room on the disk.
        for path in changed:
            if _beside(path, _OLD).exists():
                _beside(path, _OLD).rename(path)
        raise
    finally:
        # Of an earlier run that ended half-way, too: they open with a passphrase that is to open nothing any more.
        for path in files:
            _beside(path, _FRESH).unlink(missing_ok=True)
            _beside(path, _OLD).unlink(missing_ok=True)
        key_files.sync_directory(directory)
    return [path.name for path in changed]


def _encrypted_anew(path: Path, old: bytes, new: bytes) -> bytes:
    """The file under the new passphrase; nothing where it opens with that one already."""
    pem = path.read_bytes()
    if _opened(pem, new) is not None:
        return b""
    key = _opened(pem, old)
    if key is None:
        raise SigningUnavailable(
            f"The key file {path.name} opens with neither passphrase, and no file was changed. Set CA_KEY_PASSPHRASE "
            "to the one that it was made with."
        )
    again = key_files.encrypt(key, new)
    read_back = _opened(again, new)
    if read_back is None or _public(read_back) != _public(key):
        raise CAError(f"The key in {path.name} could not be read back, and no file was changed. Try again.")
    return again


def _opened(pem: bytes, passphrase: bytes) -> PrivateKey | None:
    try:
        key = key_files.decrypt(pem, passphrase)
    except ValueError:
        return None
    return key if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else None


def _public(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}{suffix}")


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    """Keep a second change out for as long as the block lasts."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CAError("The passphrase is being changed by somebody else. Wait until that is done.") from None
        yield
    finally:
        os.close(handle)
