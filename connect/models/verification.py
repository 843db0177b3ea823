"""A company's claim to its CID, and what the site's staff said to it."""

from __future__ import annotations

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from connect.models.people import Company, User


class VerificationState(models.TextChoices):
    PENDING = "pending", "Waiting for staff"
    CONFIRMED = "confirmed", "Confirmed"
    REFUSED = "refused", "Refused"


class CompanyVerification(models.Model):
    """One claim of a CID. A company has at most one that is open."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="verifications")
    cid = models.CharField(
        "CID", max_length=10, validators=[RegexValidator(r"\A[0-9]{6,10}\Z", "A CID has 6 to 10 digits.")]
    )
    state = models.CharField(max_length=12, choices=VerificationState.choices, default=VerificationState.PENDING)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(fields=["company"], condition=Q(state="pending"), name="verification_one_open"),
            models.CheckConstraint(
                name="verification_decided_whole",
                condition=Q(state="pending", decided_at=None) | ~Q(state="pending") & Q(decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company} claims {self.cid}: {self.get_state_display()}"
