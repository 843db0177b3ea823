"""How far each company has moved its clock."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from connect.models.people import Company


class ClockJump(models.Model):
    """One move of a company's clock. The jumps of a clock run share its id; ``Start over`` ends the run.

    ``from_at`` and ``to_at`` are the company's time before and after it, ``moved_at`` is real time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="clock_jumps")
    run = models.UUIDField()
    moved_at = models.DateTimeField()
    moved_by = models.CharField(max_length=254, help_text="E-mail address")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()

    class Meta:
        ordering = ["-moved_at", "-id"]
        constraints = [
            models.CheckConstraint(name="clock_jump_forward", condition=Q(to_at__gt=F("from_at"))),
        ]
        indexes = [models.Index(fields=["company", "-moved_at"], name="clock_jump_newest")]

    def __str__(self) -> str:
        return f"{self.company} to {self.to_at:%Y-%m-%d %H:%M}"
