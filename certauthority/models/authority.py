"""Our own CAs: a root and the issuing CAs under it."""

from __future__ import annotations

from django.db import models


class AuthorityPurpose(models.TextChoices):
    ROOT = "root", "Root CA"
    DEVELOPERS = "developers", "Developers CA"
    KMP = "kmp", "KMP CA"
    SERVICES = "services", "Services CA"


class Authority(models.Model):
    """One CA with one key. A CA that takes over later has the same purpose and the next generation."""

    name = models.SlugField(max_length=40, unique=True, help_text="root, developers, …, later developers-g2")
    purpose = models.CharField(max_length=16, choices=AuthorityPurpose.choices)
    generation = models.PositiveSmallIntegerField(default=1)
    certificate = models.OneToOneField("certauthority.Certificate", on_delete=models.PROTECT, related_name="ca")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    crl_number_above = models.PositiveBigIntegerField(
        null=True, help_text="Set by a restore: numbers up to this one may be on CRLs that it knows nothing of"
    )

    class Meta:
        verbose_name_plural = "authorities"
        ordering = ["purpose", "generation"]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "generation"], name="authority_one_per_generation"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What people call it: Developers CA, and from the second generation on Developers CA G2."""
        label = AuthorityPurpose(self.purpose).label
        return label if self.generation == 1 else f"{label} G{self.generation}"
