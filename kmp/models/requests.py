"""Requests for certificates, from the first draft to the signature."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower

from connect.models import Company, User
from kmp.models.applications import Application, Environment, Profile
from kmp.models.inventory import InventoryEntry


class RequestKind(models.TextChoices):
    NEW = "new", "New certificate"
    RENEWAL = "renewal", "Renewal"


class RequestState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    IN_REVIEW = "in-review", "In review"
    SIGNED = "signed", "Signed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"


class CertificateRequest(models.Model):
    """One request. ``kmp.requests`` holds its only moves from state to state.

    A draft is the wizard's state; everything in it may still be missing. ``decide_at`` is when an automatic review
    decides; ``claimed_at`` when a worker last took it up to decide. Where the CA could not sign then, ``decide_at`` is
    later again. The CSR is kept as it was uploaded.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=16, unique=True, help_text="REQ- and eight digits")
    kind = models.CharField(max_length=8, choices=RequestKind.choices)
    state = models.CharField(max_length=12, choices=RequestState.choices, default=RequestState.DRAFT)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="certificate_requests")
    officer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="certificate_requests")
    application = models.ForeignKey(Application, null=True, on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(max_length=12, blank=True, choices=Environment.choices)
    profile = models.CharField(max_length=12, choices=Profile.choices, default=Profile.CLIENT)
    contact = models.EmailField(blank=True)
    expiring = models.ForeignKey(InventoryEntry, null=True, on_delete=models.PROTECT, related_name="renewals")
    csr = models.BinaryField(default=bytes)
    common_name = models.CharField(max_length=64, blank=True, help_text="Of the CSR; what cannot be seen as U+…")
    csr_name = models.CharField(max_length=120, blank=True, help_text="Of the uploaded file")
    alternative_names = models.JSONField(default=list, help_text="DNS names, A-labels")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    decide_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="When it was signed, rejected or cancelled")
    decided_by = models.CharField(max_length=254, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    entry = models.OneToOneField(InventoryEntry, null=True, on_delete=models.PROTECT, related_name="request")
    certificate_words = models.CharField(
        max_length=255, blank=True, help_text="For the search: of what it renews and what was signed; they never change"
    )
    # One column, in lower case already, as the inventory has it. SQLite lowers A to Z only. Names of people, companies
    # and applications do change: `kmp.request_search` looks them up where they stand.
    search_text = models.GeneratedField(
        expression=Lower(
            Concat(
                "number",
                Value(" "),
                "common_name",
                Value(" "),
                "contact",
                Value(" "),
                "certificate_words",
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["-number"]
        constraints = [
            # Two officers who renew one certificate at once: the second meets this.
            models.UniqueConstraint(
                fields=["expiring"],
                condition=Q(state__in=["draft", "submitted", "in-review"]),
                name="request_one_open_renewal",
            ),
            models.CheckConstraint(
                name="request_signed_has_certificate",
                condition=Q(state="signed", entry__isnull=False) | ~Q(state="signed") & Q(entry=None),
            ),
            # One request, one certificate: the entry has the id of its request, so that a second one meets the
            # primary key of the inventory.
            models.CheckConstraint(
                name="request_certificate_is_its_own",
                condition=Q(entry=None) | Q(entry=F("id")),
            ),
            models.CheckConstraint(
                name="request_ended_whole",
                condition=Q(state__in=["signed", "rejected", "cancelled"], ended_at__isnull=False)
                | Q(state__in=["draft", "submitted", "in-review"], ended_at=None),
            ),
            models.CheckConstraint(
                name="request_submitted_whole",
                condition=Q(state__in=["draft", "cancelled"])
                | Q(application__isnull=False, submitted_at__isnull=False) & ~Q(environment="") & ~Q(csr=b""),
            ),
            models.CheckConstraint(
                name="request_renewal_names_expiring",
                condition=Q(kind="new", expiring=None) | Q(kind="renewal", expiring__isnull=False),
            ),
        ]
        indexes = [
            # All that a list is filtered by, so that nothing else is read: beside it, a row holds a CSR.
            models.Index(
                fields=["company", "number", "state", "kind", "application", "officer", "search_text"],
                name="request_newest_first",
            ),
            models.Index(
                fields=["decide_at"], name="request_undecided", condition=Q(state__in=["submitted", "in-review"])
            ),
            models.Index(
                fields=["submitted_at", "id", "application", "number"],
                name="request_by_age",
                condition=Q(state__in=["submitted", "in-review"]),
            ),
            models.Index(
                fields=["state", "-ended_at", "-id", "application", "company", "officer", "number", "search_text"],
                name="request_by_end",
                condition=Q(submitted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.get_state_display()})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store, with the words of the certificates that it names."""
        stored = kwargs.get("update_fields")
        if stored is None or {"expiring", "entry"} & set(stored):
            named = [entry for entry in (self.expiring, self.entry) if entry is not None]
            self.certificate_words = " ".join(
                f"{entry.reference} {entry.common_name} {entry.serial}" for entry in named
            )
            kwargs["update_fields"] = stored if stored is None else {*stored, "certificate_words"}
        super().save(*args, **kwargs)
