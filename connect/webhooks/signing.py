"""The signature of a message: HMAC-SHA256 (RFC 2104) over when it was sent and its body.

A receiver that checks both knows that the message comes from here, is whole, and is no old one sent again.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from certauthority.sealing import seal, unseal

HEADER = "Rehearsal-Signature"
TOLERANCE = timedelta(minutes=5)

_PREFIX = "whsec_"
_PURPOSE = "connect.webhooks"
_LONGEST_STAMP = 20


def new_secret() -> str:
    """A fresh secret with 256 bits of chance, marked so that scanners of repositories know it."""
    return f"{_PREFIX}{secrets.token_urlsafe(32)}"


def sealed(secret: str) -> bytes:
    """The secret as the database keeps it."""
    return seal(secret, purpose=_PURPOSE).encode()


def opened(kept: bytes | memoryview) -> str:
    """The secret again.

    Raises:
        Unreadable: it was sealed with a ``SECRET_KEY`` that is gone.
    """
    return unseal(bytes(kept).decode("ascii"), purpose=_PURPOSE)


def signature(body: bytes, *, secret: str, at: datetime) -> str:
    """The value of the header for a body that is sent at this moment."""
    stamp = int(at.timestamp())
    return f"t={stamp},v1={_digest(body, secret=secret, stamp=str(stamp))}"


def is_genuine(header: str, body: bytes, *, secret: str, now: datetime) -> bool:
    """What a receiver checks: one of the signatures is the secret's, and the message is at most five minutes old."""
    pairs = [part.partition("=")[::2] for part in header.split(",")]
    stamp = next((value for name, value in pairs if name == "t"), "")
    is_moment = stamp.isascii() and stamp.isdigit() and len(stamp) <= _LONGEST_STAMP
    if not (is_moment and abs(now.timestamp() - int(stamp)) <= TOLERANCE.total_seconds()):
        return False
    expected = _digest(body, secret=secret, stamp=stamp).encode()
    return any(hmac.compare_digest(value.encode(), expected) for name, value in pairs if name == "v1")


def _digest(body: bytes, *, secret: str, stamp: str) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
