"""Who asked for which application of the Store, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from connect.models.people import Company, User


class AccessState(models.TextChoices):
    PENDING = "pending", "Access pending"
    GRANTED = "granted", "Granted"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"
    WITHDRAWN = "withdrawn", "Withdrawn"


class AccessRequest(models.Model):
    """One person's request for one application. A granted one is the access itself, until it is withdrawn.

    ``application`` and ``level`` are codes of ``connect.catalogue``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="access_requests")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="access_requests")
    application = models.CharField(max_length=32)
    level = models.CharField(max_length=32)
    state = models.CharField(max_length=12, choices=AccessState.choices, default=AccessState.PENDING)
    requested_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="access_decisions")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "application"],
                condition=Q(state__in=["pending", "granted"]),
                name="access_request_one_open",
            ),
            # One's own request may be cancelled and one's own access given up, but never granted or refused.
            models.CheckConstraint(
                name="access_request_not_by_oneself",
                condition=~Q(state__in=["granted", "refused"]) | Q(decided_by__isnull=False) & ~Q(decided_by=F("user")),
            ),
            models.CheckConstraint(
                name="access_request_decided_whole",
                condition=Q(state="pending", decided_at=None, decided_by=None)
                | ~Q(state="pending") & Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["company", "application", "state"], name="access_request_of_company"),
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.application}: {self.get_state_display()}"
