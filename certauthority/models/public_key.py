"""Public keys that the site has seen, and whose they are."""

from __future__ import annotations

from django.db import models


class PublicKey(models.Model):
    """One public key belongs to one holder for good, and a compromised one is never accepted again."""

    fingerprint = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of SubjectPublicKeyInfo, hex")
    holder = models.CharField(max_length=64, help_text="Public id of the company, or the name of one of our CAs")
    compromised_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.fingerprint[:16]}… of {self.holder}"
