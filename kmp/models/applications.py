"""The applications for which certificates are requested, and what their distinguished names must be."""

from __future__ import annotations

import uuid

from django.db import models

from connect.text import validate_plain_text


class Environment(models.TextChoices):
    MTF = "mtf", "MTF"
    PRODUCTION = "production", "Production"

    @property
    def code(self) -> str:
        """How a common name names it."""
        return {"mtf": "MTF", "production": "PROD"}[self.value]


class Profile(models.TextChoices):
    CLIENT = "client", "Client"


class Review(models.TextChoices):
    AUTOMATIC = "automatic", "Automatic"
    MANUAL = "manual", "By Key Management"


class Application(models.Model):
    """A service that is called with client certificates of the KMP CA."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(max_length=40, unique=True, help_text="Stands in addresses; never changes")
    name = models.CharField(max_length=64, unique=True, validators=[validate_plain_text])
    description = models.CharField(max_length=200, blank=True, validators=[validate_plain_text])
    review = models.CharField(max_length=12, choices=Review.choices, default=Review.AUTOMATIC)
    is_open = models.BooleanField("open for requests", default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class DnRequirement(models.Model):
    """What a request for one application, environment and profile must look like. Its attributes are rows of their own.

    ``key_types`` are names as certificates show them, such as RSA 2048 and EC P-256.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="requirements")
    environment = models.CharField(max_length=12, choices=Environment.choices)
    profile = models.CharField(max_length=12, choices=Profile.choices, default=Profile.CLIENT)
    key_types = models.JSONField(default=list)

    class Meta:
        ordering = ["application__name", "environment"]
        constraints = [
            models.UniqueConstraint(fields=["application", "environment", "profile"], name="dn_requirement_once"),
        ]

    def __str__(self) -> str:
        return f"{self.application} in {self.get_environment_display()}"


class DnAttribute(models.Model):
    """The rule for one attribute of the name. ``label``, ``kind`` and ``value`` are those of ``AttributeRule``
    (``certauthority.x509.attribute_rules``).
    """

    requirement = models.ForeignKey(DnRequirement, on_delete=models.CASCADE, related_name="attributes")
    label = models.CharField(max_length=4)
    kind = models.CharField(max_length=12)
    value = models.CharField(max_length=120, blank=True)
    is_optional = models.BooleanField(default=False)
    max_length = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["requirement", "label"], name="dn_attribute_once")]

    def __str__(self) -> str:
        return f"{self.label} {self.kind} {self.value}".strip()
