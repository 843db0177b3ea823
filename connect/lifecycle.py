"""How far a certificate is in its life, by the rule that both portals share."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db import models

from certauthority.models import Certificate


class Status(models.TextChoices):
    ACTIVE = "active", "Active"
    EXPIRING_SOON = "expiring_soon", "Expiring soon"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


def days_left(not_after: datetime, *, now: datetime) -> int:
    """Days between the UTC calendar dates: 0 on the last day itself, negative afterwards."""
    return (not_after.astimezone(UTC).date() - now.astimezone(UTC).date()).days


def status(not_after: datetime, *, ended: bool, now: datetime) -> Status:
    """The status that a page shows. ``Expiring soon`` is 0 to 30 days before the end, by the settings."""
    if ended:
        return Status.REVOKED
    if not_after < now:
        return Status.EXPIRED
    if days_left(not_after, now=now) <= settings.EXPIRING_SOON_DAYS:
        return Status.EXPIRING_SOON
    return Status.ACTIVE


def life_began(certificate: Certificate, *, now: datetime) -> datetime:
    """When a certificate's life began for its company: by the clock that its months are counted from, if it has one.

    A clock that was started over shows an earlier time than that: then its own beginning counts again.
    """
    counted = certificate.counted_from
    return counted if counted is not None and counted <= now else certificate.not_before


def percent_over(certificate: Certificate, *, now: datetime) -> int:
    """How much of a certificate's life is over: 0 before it begins, 100 once it has ended."""
    begin, end = life_began(certificate, now=now), certificate.not_after
    share = (now - begin) / (end - begin) if end > begin else 1.0
    return round(100 * min(max(share, 0.0), 1.0))
