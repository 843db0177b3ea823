"""Addresses of other systems that are told what people are told, and each message to them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from connect.models.people import Company


class Webhook(models.Model):
    """One address that gets the events of one ``scope``: a project's public id, or the company's for KMP."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="webhooks")
    scope = models.CharField(max_length=36, help_text="Public id of the project, or of the company for KMP")
    url = models.CharField(max_length=500)
    secret = models.BinaryField(help_text="Sealed; signs each message with HMAC-SHA256")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["scope"], name="webhook_live", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    DUE = "due", "Due"
    SENT = "sent", "Delivered"
    FAILED = "failed", "Failed"


class WebhookDelivery(models.Model):
    """One message to one webhook. ``event`` is the notice's, so that one is sent once; a replay is its own row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries")
    event = models.CharField(max_length=200)
    kind = models.CharField(max_length=48)
    body = models.TextField(help_text="JSON, exactly as it is signed and sent")
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.DUE)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Not before this moment; later after each failure")
    attempts = models.PositiveSmallIntegerField(default=0)
    answered_status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=500, blank=True, help_text="The beginning of what came back")
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="webhook_event_once"),
            models.CheckConstraint(
                name="webhook_sent_whole",
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at=None),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="webhook_due", condition=Q(state="due")),
            models.Index(fields=["webhook", "-created_at"], name="webhook_log"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}: {self.get_state_display()}"
