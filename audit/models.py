"""The audit log: one row for every change, never altered afterwards."""

from __future__ import annotations

import uuid

from django.db import models


class AuditEvent(models.Model):
    """Who did what to which object, when, from where. Everything is text, so that rows outlive what they tell of.

    Rows are only ever inserted: the database itself refuses UPDATE and DELETE (see the migration's triggers).
    """

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField()
    company_at = models.DateTimeField(null=True, help_text="The company's own time, where its clock is ahead")
    actor = models.CharField(max_length=254, help_text="E-mail address, or the name of a part of the system")
    address = models.CharField(max_length=45, blank=True, help_text="IP address of the actor, where there is one")
    action = models.CharField(max_length=64, help_text="Such as credential.added")
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=254)
    company = models.CharField(max_length=64, blank=True, help_text="Public id of the company concerned")
    project = models.CharField(max_length=64, blank=True, help_text="Public id of the project concerned")
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["project", "-id"], name="audit_project"),
            models.Index(fields=["company", "-id"], name="audit_company"),
            # What happened to one object: every page of details asks for it.
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.object_label}"
