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


def percent_over(certificate: Certificate, *, now: datetime) -> int:
    """How much of a certificate's life is over: 0 before it begins, 100 once it has ended."""
    begin, end = certificate.not_before, certificate.not_after
    share = (now - begin) / (end - begin) if end > begin else 1.0
    return round(100 * min(max(share, 0.0), 1.0))
