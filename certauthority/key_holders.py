"""Bind a public key to the company that uses it."""

from __future__ import annotations

from datetime import datetime

from certauthority.errors import RequestRefused
from certauthority.models import PublicKey
from certauthority.policy import judge_known_key
from certauthority.x509.keys import PublicKeyFacts
from certauthority.x509.verdicts import acceptable


def claim_key(key: PublicKeyFacts, *, holder: str) -> None:
    """Note that this holder uses the key. Call it inside the transaction that accepts the certificate.

    The row is locked until the end of the transaction, so that a revocation for compromise, or another company with
    the same key, comes wholly before or wholly after.

    Raises:
        RequestRefused: the key is compromised, or somebody else's.
    """
    PublicKey.objects.bulk_create([PublicKey(fingerprint=key.fingerprint, holder=holder)], ignore_conflicts=True)
    known = PublicKey.objects.select_for_update().get(fingerprint=key.fingerprint)
    verdicts = judge_known_key(known, holder=holder)
    if not acceptable(verdicts):
        raise RequestRefused(verdicts)


def condemn_key(fingerprint: str, *, holder: str, now: datetime) -> None:
    """Never accept this public key again."""
    PublicKey.objects.bulk_create([PublicKey(fingerprint=fingerprint, holder=holder)], ignore_conflicts=True)
    PublicKey.objects.filter(fingerprint=fingerprint, compromised_at=None).update(compromised_at=now)
