"""Every certificate that the site knows, issued here or uploaded."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class RevocationReason(models.TextChoices):
    """The reasons that people may choose, by their names in RFC 5280, 5.3.1."""

    SUPERSEDED = "superseded", "Unused or replaced"
    KEY_COMPROMISE = "keyCompromise", "Key compromise"
    AFFILIATION_CHANGED = "affiliationChanged", "Affiliation changed"
    CESSATION_OF_OPERATION = "cessationOfOperation", "Cessation of operation"


class Certificate(models.Model):
    """One X.509 certificate. Digests and fingerprints are SHA-256 in lower-case hex."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    authority = models.ForeignKey(
        "certauthority.Authority",
        null=True,
        on_delete=models.PROTECT,
        related_name="issued",
        help_text="Which of our CAs signed it; none for a certificate of another CA",
    )
    issuer_digest = models.CharField(max_length=64, help_text="Of the issuer's normalised name and public key")
    issuer = models.TextField(help_text="RFC 4514 text")
    serial = models.CharField(max_length=40, db_index=True, help_text="Hex, lower case, no leading zeros")
    subject = models.TextField(help_text="RFC 4514 text")
    subject_digest = models.CharField(max_length=64, db_index=True)
    common_name = models.CharField(max_length=64, blank=True)
    fingerprint = models.CharField(max_length=64, unique=True)
    public_key_fingerprint = models.CharField(max_length=64, db_index=True)
    key_description = models.CharField(max_length=40, help_text="Such as RSA 2048")
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    counted_from = models.DateTimeField(
        null=True, help_text="What its company's clock showed when we signed it, where that was ahead of real time"
    )
    der = models.BinaryField()
    uploaded_chain = models.BinaryField(
        default=bytes,
        help_text="For an uploaded certificate: DER of its issuers up to the trusted CA, one after another",
    )
    recorded_at = models.DateTimeField()
    linted_at = models.DateTimeField(null=True)
    lint_findings = models.TextField(blank=True)
    revoked_at = models.DateTimeField(null=True)
    revocation_reason = models.CharField(max_length=24, blank=True, choices=RevocationReason.choices)
    crl_entry = models.BinaryField(null=True, help_text="DER of its entry on the CRL, written when it is revoked")
    crl_shard = models.PositiveSmallIntegerField(
        null=True, help_text="Which of its CA’s CRLs it names, from 1 on; none where it names the full one"
    )
    on_crl_at = models.DateTimeField(null=True, help_text="When the CRL that it names first listed it")
    ocsp_unsettled = models.BooleanField(
        default=False,
        help_text="Redis may hold an old OCSP response for it, so that none of its CA is taken from there",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer_digest", "serial"], name="certificate_issuer_serial"),
            models.CheckConstraint(
                name="certificate_revoked_whole",
                condition=Q(revoked_at=None, revocation_reason="", crl_entry=None)
                | (Q(revoked_at__isnull=False) & ~Q(revocation_reason="")),
            ),
        ]
        indexes = [
            # Holds all that a CRL is made of: a million wide rows need not be read for it.
            models.Index(
                fields=["authority", "crl_shard", "not_after"],
                name="certificate_listed",
                include=["on_crl_at", "crl_entry"],
                condition=Q(revoked_at__isnull=False),
            ),
            models.Index(
                fields=["authority"],
                name="certificate_crl_pending",
                condition=Q(revoked_at__isnull=False, on_crl_at=None),
            ),
            models.Index(
                fields=["recorded_at"],
                name="certificate_unlinted",
                condition=Q(linted_at=None, authority__isnull=False),
            ),
            models.Index(fields=["authority"], name="certificate_ocsp_unsettled", condition=Q(ocsp_unsettled=True)),
            models.Index(fields=["linted_at"], name="certificate_findings", condition=~Q(lint_findings="")),
            # What ends next: the company's clock asks for the first few ends from a moment on.
            models.Index(fields=["not_after"], name="certificate_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.common_name or self.subject} ({self.serial})"
