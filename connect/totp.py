"""Codes of authenticator apps: TOTP with six digits every 30 seconds (RFC 6238), by django-allauth's arithmetic."""

from __future__ import annotations

from datetime import datetime

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

STEP_SECONDS = 30
# A phone's clock may be off by one step (RFC 6238, 5.2). Looked at from now outwards.
_STEPS = (0, -1, 1)


def matching_step(secret: str, code: str, *, after: int, now: datetime) -> int | None:
    """The step (of 30 seconds since 1970) that this code is of, if it is near ``now`` and later than ``after``."""
    current = int(now.timestamp()) // STEP_SECONDS
    for step in (current + offset for offset in _STEPS):
        expected = format_hotp_value(hotp_value(secret, step))
        if step > after and compare_user_code(actual=code, expected=expected):
            return step
    return None
