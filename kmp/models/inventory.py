"""The inventory: every certificate that KMP signed for a company, version after version."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Concat, Length, Lower

from certauthority.models import Certificate
from connect.models import Company, Watched
from kmp.models.applications import Application, Environment, Profile


class EntryState(models.IntegerChoices):
    """What happened to an entry. Whether a live one is expiring or expired is a matter of the moment."""

    LIVE = 0, "Live"
    RENEWED = 1, "Renewed"
    REVOKED = 2, "Revoked"


class InventoryEntry(Watched):
    """One version of one certificate. ``line`` is shared by all versions of it.

    What the table shows, filters and sorts by is copied here from the certificate and the application, because no
    index reaches over two tables; certificates never change, and ``kmp.applications.rename`` keeps the names in step.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=16, unique=True, help_text="KM- and at least six digits")
    # Indexes below begin with these columns, so that they need none of their own.
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="inventory", db_index=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="inventory")
    environment = models.CharField(max_length=12, choices=Environment.choices)
    profile = models.CharField(max_length=12, choices=Profile.choices, default=Profile.CLIENT)
    certificate = models.OneToOneField(Certificate, on_delete=models.PROTECT, related_name="inventory_entry")
    line = models.UUIDField(default=uuid.uuid4)
    version = models.PositiveIntegerField(default=1)
    renews = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="renewed_by")
    state = models.PositiveSmallIntegerField(choices=EntryState.choices, default=EntryState.LIVE)
    application_name = models.CharField(max_length=64)
    common_name = models.CharField(max_length=64, blank=True)
    serial = models.CharField(max_length=40, help_text="Hex, lower case, no leading zeros")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    alternative_names = models.JSONField(default=list, help_text="DNS names, A-labels")
    # One narrow column, in lower case already: looking through it is several times as fast as through five. SQLite
    # lowers A to Z only.
    search_text = models.GeneratedField(
        expression=Lower(
            Concat(
                "reference",
                Value(" "),
                "application_name",
                Value(" "),
                "environment",
                Value(" "),
                "common_name",
                Value(" "),
                "serial",
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta:
        verbose_name_plural = "inventory entries"
        ordering = ["expires_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["line", "version"], name="inventory_one_version"),
            models.UniqueConstraint(fields=["line"], condition=Q(state=0), name="inventory_one_live_version"),
            models.CheckConstraint(
                name="inventory_first_renews_nothing",
                condition=Q(version=1, renews=None) | Q(version__gt=1, renews__isnull=False),
            ),
        ]
        indexes = [
            # By length first: references and serial numbers are sorted as the numbers that they are.
            models.Index("company", Length("reference"), "reference", name="inventory_by_number"),
            models.Index(fields=["company", "application_name", "id"], name="inventory_by_application"),
            models.Index(fields=["company", "environment", "id"], name="inventory_by_environment"),
            models.Index(fields=["company", "common_name", "id"], name="inventory_by_common_name"),
            models.Index("company", Length("serial"), "serial", "id", name="inventory_by_serial"),
            models.Index(fields=["company", "issued_at", "id"], name="inventory_by_issue"),
            models.Index(fields=["company", "expires_at", "id"], name="inventory_by_expiry"),
            # The order to begin with, with all that a search reads of a row.
            models.Index(
                fields=["company", "state", "expires_at", "id", "search_text"], name="inventory_by_state_and_text"
            ),
            # What is due: of all companies in real time, and of one whose clock is ahead.
            models.Index(
                fields=["next_notice_at"], name="inventory_notice_due", condition=Q(next_notice_at__isnull=False)
            ),
            models.Index(
                fields=["company", "next_notice_at"],
                name="inventory_of_company_due",
                condition=Q(next_notice_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.common_name}"
