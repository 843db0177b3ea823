"""What the live mTLS endpoint has seen of certificates. ``certauthority.use_records`` is the only writer.

Times are real time. Calls are counted in rows that are added up, so that a busy client costs no row for each call.
"""

from __future__ import annotations

from django.db import models

from certauthority.models.certificate import Certificate


class ReasonCode(models.TextChoices):
    """What the endpoint says of a certificate, as its answers carry it, with a short label for lists."""

    ACCEPTED = "CLIENT_CERT_ACCEPTED", "Accepted"
    CHAIN_INCOMPLETE = "CLIENT_CERT_CHAIN_INCOMPLETE", "Accepted, chain incomplete"
    SUPERSEDED = "CLIENT_CERT_SUPERSEDED", "Accepted, superseded"
    MISSING = "CLIENT_CERT_MISSING", "No certificate"
    UNREADABLE = "INVALID_CLIENT_CERT", "Not readable"
    UNKNOWN_ISSUER = "CLIENT_CERT_UNKNOWN_ISSUER", "Unknown issuer"
    EXPIRED = "CLIENT_CERT_EXPIRED", "Expired"
    NOT_YET_VALID = "CLIENT_CERT_NOT_YET_VALID", "Not yet valid"
    REVOKED = "CLIENT_CERT_REVOKED", "Revoked"
    WRONG_ENVIRONMENT = "CLIENT_CERT_WRONG_ENVIRONMENT", "Wrong environment"
    NOT_ON_PROJECT = "CLIENT_CERT_NOT_ON_PROJECT", "Not on any project"
    PRODUCTION_NOT_APPROVED = "PRODUCTION_NOT_APPROVED", "Production not approved"
    NOT_A_CLIENT_CERTIFICATE = "CLIENT_CERT_WRONG_PURPOSE", "Not a client certificate"
    WEAK_KEY = "CLIENT_CERT_WEAK_KEY", "Weak key"


class CertificateUse(models.Model):
    """When a certificate was first and last accepted by the live endpoint."""

    certificate = models.OneToOneField(Certificate, on_delete=models.CASCADE, related_name="use")
    first_used_at = models.DateTimeField()
    last_used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.certificate_id} last used {self.last_used_at:%Y-%m-%d %H:%M}"


class CertificateUseHour(models.Model):
    """How many calls one certificate made in one hour. Kept for 90 days."""

    id = models.BigAutoField(primary_key=True)
    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="use_hours", db_index=False)
    hour = models.DateTimeField(help_text="The hour's first moment")
    accepted = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["certificate", "hour"], name="certificate_use_hour_once")]
        indexes = [models.Index(fields=["hour"], name="certificate_use_hour_old")]

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.hour:%Y-%m-%d %H}h: {self.accepted} accepted, {self.refused} refused"


class CertificateUseMinute(models.Model):
    """How many calls one certificate made from one address in one minute: for “in the last hour”. Kept for 2 hours."""

    id = models.BigAutoField(primary_key=True)
    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="use_minutes", db_index=False)
    minute = models.DateTimeField(help_text="The minute's first moment")
    client_address = models.GenericIPAddressField()
    accepted = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "minute", "client_address"], name="certificate_use_minute_once"
            )
        ]
        indexes = [models.Index(fields=["minute"], name="certificate_use_minute_old")]

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.minute:%Y-%m-%d %H:%M} {self.client_address}"


class CertificateUseSource(models.Model):
    """An address that presented a certificate, and how often. Kept for 90 days after its last call."""

    id = models.BigAutoField(primary_key=True)
    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="use_sources", db_index=False)
    client_address = models.GenericIPAddressField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    last_accepted_at = models.DateTimeField(null=True)
    accepted = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["certificate", "client_address"], name="certificate_use_source_once")
        ]
        indexes = [models.Index(fields=["last_at"], name="certificate_use_source_old")]

    def __str__(self) -> str:
        return f"{self.certificate_id} from {self.client_address}"


class EndpointCall(models.Model):
    """One of the last calls with a certificate that the site knows. Of each certificate the newest 50 are kept."""

    id = models.BigAutoField(primary_key=True)
    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="calls", db_index=False)
    at = models.DateTimeField()
    accepted = models.BooleanField()
    reason = models.CharField(max_length=40, choices=ReasonCode.choices)
    environment = models.CharField(max_length=12, help_text="Of the host that was called: sandbox or production")
    client_address = models.GenericIPAddressField()
    tls_version = models.CharField(max_length=12, help_text="Such as TLSv1.3")
    cipher = models.CharField(max_length=64, help_text="OpenSSL's name of the cipher suite")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["certificate", "-at", "-id"], name="endpoint_call_newest_first"),
            models.Index(fields=["at"], name="endpoint_call_old"),
        ]

    def __str__(self) -> str:
        return f"{self.certificate_id} {self.at:%Y-%m-%d %H:%M:%S} {self.reason}"
