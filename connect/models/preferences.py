"""What a person has chosen about notices."""

from __future__ import annotations

from django.db import models

from connect.models.people import User


class NoticePreference(models.Model):
    """One person's choices. Who has no row has chosen nothing: no digest, no calendar.

    The calendar's secret is kept as its SHA-256; the address is shown once, when it is made.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="notice_preference")
    weekly_digest = models.BooleanField(default=False)
    next_digest_at = models.DateTimeField(null=True, help_text="In the company's own time")
    calendar_digest = models.CharField(max_length=64, blank=True, help_text="Of the secret in the feed's address")
    calendar_made_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["calendar_digest"], condition=~models.Q(calendar_digest=""), name="calendar_address_once"
            ),
        ]
        indexes = [
            models.Index(fields=["next_digest_at"], name="digest_due", condition=models.Q(weekly_digest=True)),
        ]

    def __str__(self) -> str:
        return f"Choices of {self.user}"
