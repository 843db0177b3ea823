"""Published CRLs."""

from __future__ import annotations

from django.db import models

FULL = 0


class RevocationList(models.Model):
    """One CRL of one authority. Numbers grow strictly (RFC 5280, 5.2.3): all lists of an authority share one count."""

    authority = models.ForeignKey("certauthority.Authority", on_delete=models.PROTECT, related_name="revocation_lists")
    shard = models.PositiveSmallIntegerField(
        db_default=FULL, help_text="Which certificates it is for: those that name this list; 0 is the full one, of all"
    )
    addresses = models.TextField(
        blank=True,
        db_default="",
        help_text="Where the list of a shard is, as it says itself, each on a line of its own",
    )
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
