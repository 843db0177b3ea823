"""CAs of others, and those of ours, whose certificates may be uploaded."""

from __future__ import annotations

import uuid

from django.db import models


class TrustedAuthority(models.Model):
    """A CA certificate that ends a chain: a root, or an intermediate trusted as itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    authority = models.OneToOneField(
        "certauthority.Authority", null=True, on_delete=models.PROTECT, help_text="Set where it is one of our own"
    )
    subject = models.TextField()
    common_name = models.CharField(max_length=64, blank=True)
    fingerprint = models.CharField(max_length=64, unique=True)
    is_self_signed = models.BooleanField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    der = models.BinaryField()
    note = models.CharField(max_length=200, blank=True)
    enabled = models.BooleanField(default=True)
    added_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "trusted authorities"
        ordering = ["common_name", "subject"]

    def __str__(self) -> str:
        return self.common_name or self.subject
