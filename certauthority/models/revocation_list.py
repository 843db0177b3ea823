"""Published CRLs."""

from __future__ import annotations

from django.db import models


class RevocationList(models.Model):
    """One full CRL of one authority. Numbers grow strictly (RFC 5280, 5.2.3)."""

    authority = models.ForeignKey("certauthority.Authority", on_delete=models.PROTECT, related_name="revocation_lists")
    number = models.PositiveBigIntegerField()
    this_update = models.DateTimeField()
    next_update = models.DateTimeField()
    entries = models.PositiveIntegerField(help_text="How many certificates it lists")
    der = models.BinaryField()

    class Meta:
        ordering = ["authority", "-number"]
        constraints = [models.UniqueConstraint(fields=["authority", "number"], name="revocation_list_number")]

    def __str__(self) -> str:
        return f"{self.authority_id} CRL {self.number}"
