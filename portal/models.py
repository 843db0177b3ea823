"""Projects, the people on them, and their credentials."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from certauthority.models import Certificate
from connect.models import Company, User, Watched
from connect.text import validate_plain_text


class Environment(models.TextChoices):
    SANDBOX = "sandbox", "Sandbox"
    PRODUCTION = "production", "Production"

    @property
    def code(self) -> str:
        """How a common name names it."""
        return {"sandbox": "MTF", "production": "PROD"}[self.value]


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    READ_ONLY = "read-only", "Read-only"


class Project(models.Model):
    """A company's project. A deleted one is kept for the audit and seen by nobody."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=64, validators=[validate_plain_text])
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    members = models.ManyToManyField(User, through="Membership", related_name="projects")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "company", Lower("name"), condition=Q(deleted_at=None), name="project_name_in_company"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ProductionState(models.TextChoices):
    PENDING = "pending", "Waiting for staff"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"


class ProductionAccessRequest(models.Model):
    """A project's request for production access. An approved one is the access itself.

    A refused one stays as it is, and the project may make another.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="production_requests")
    state = models.CharField(max_length=12, choices=ProductionState.choices, default=ProductionState.PENDING)
    note = models.CharField(max_length=500, blank=True, help_text="What the project's admin says to the site's staff")
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="production_requests")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="production_decisions")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(state__in=["pending", "approved"]), name="production_request_one_open"
            ),
            models.CheckConstraint(
                name="production_request_not_by_oneself",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
            ),
            models.CheckConstraint(
                name="production_request_decided_whole",
                condition=Q(state="pending", decided_at=None, decided_by=None)
                | ~Q(state="pending") & Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="production_request_refused_why", condition=~Q(state="refused") | ~Q(reason="")
            ),
        ]
        indexes = [
            models.Index(fields=["requested_at"], name="production_request_waiting", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.project}: {self.get_state_display()}"


class Membership(models.Model):
    """One person's role on one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.get_role_display()} on {self.project}"


class CredentialMethod(models.TextChoices):
    GENERATED_KEY = "generated-key", "Generate a new private key"
    UPLOADED_CSR = "uploaded-csr", "Upload a CSR"
    PASTED_CSR = "pasted-csr", "Paste in a CSR"
    UPLOADED_CERTIFICATE = "uploaded-certificate", "Upload mTLS certificate"


class EndReason(models.TextChoices):
    REVOKED = "revoked", "Revoked"
    USE_ENDED = "use-ended", "Use ended on this project"
    PROJECT_DELETED = "project-deleted", "Project deleted"


class Credential(Watched):
    """A client certificate in one environment of one project, under an alias. Live while ``ended_at`` is empty."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Indexes below are by these columns, so that they need none of their own.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="credentials", db_index=False)
    environment = models.CharField(max_length=12, choices=Environment.choices)
    alias = models.CharField(max_length=64)
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="credentials")
    subject_digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="The end of its certificate, by which lists are sorted: no index reaches over two tables",
    )
    method = models.CharField(max_length=24, choices=CredentialMethod.choices)
    predecessor = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="successors", db_index=False
    )
    submission = models.UUIDField(
        unique=True, help_text="Of the form that made it, so that a form sent twice acts once"
    )
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=16, blank=True, choices=EndReason.choices)
    news_since = models.DateTimeField(
        null=True, help_text="While the project's admins have not been told of it: when it was added"
    )
    keystore_saved_at = models.DateTimeField(
        null=True, help_text="When somebody said that the keystore is safe; only where a browser made the key"
    )

    # The successors, the oldest first, where ``portal.credentials`` has loaded them.
    succeeded_by: list[Credential]

    class Meta:
        constraints = [
            # Java's keystores know aliases in lower case only, so two that differ by case would be one there.
            models.UniqueConstraint(
                "project", "environment", Lower("alias"), condition=Q(ended_at=None), name="credential_live_alias"
            ),
            models.UniqueConstraint(
                fields=["subject_digest"], condition=Q(ended_at=None), name="credential_live_subject"
            ),
            models.CheckConstraint(
                name="credential_ended_whole",
                condition=Q(ended_at=None, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
            ),
        ]
        indexes = [
            # All that a list is filtered and counted by, so that nothing else is read.
            models.Index(
                fields=["project", "environment", "-created_at", "-id", "ended_at", "expires_at"],
                name="credential_listed",
            ),
            models.Index(
                fields=["project", "expires_at", "id", "environment"],
                name="credential_by_end",
                condition=Q(ended_at=None),
            ),
            # What is due: of all companies in real time, and of one project whose company's clock is ahead.
            models.Index(fields=["next_notice_at"], name="credential_notice_due", condition=Q(ended_at=None)),
            models.Index(
                fields=["project", "next_notice_at"], name="credential_of_project_due", condition=Q(ended_at=None)
            ),
            # Most credentials replace nothing.
            models.Index(fields=["predecessor"], name="credential_successors", condition=Q(predecessor__isnull=False)),
            models.Index(fields=["news_since", "id"], name="credential_news", condition=Q(news_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.alias

    @property
    def has_generated_key(self) -> bool:
        """Whether a browser made its key, and a keystore with it."""
        return self.method == CredentialMethod.GENERATED_KEY
