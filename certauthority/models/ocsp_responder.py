"""Who answers OCSP requests for a CA."""

from __future__ import annotations

from django.db import models


class OcspResponder(models.Model):
    """The delegated responder of one CA: its newest certificate. Its key is a file beside the CA's."""

    authority = models.OneToOneField("certauthority.Authority", on_delete=models.PROTECT, related_name="ocsp_responder")
    certificate = models.OneToOneField(
        "certauthority.Certificate", on_delete=models.PROTECT, related_name="ocsp_responder"
    )

    class Meta:
        verbose_name = "OCSP responder"

    def __str__(self) -> str:
        return f"OCSP responder of {self.authority.name}"
