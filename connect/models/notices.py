"""What people are told: one row for each message, recipient and channel."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from connect.models.people import Company, User


class Channel(models.TextChoices):
    MAIL = "mail", "E-mail"
    BELL = "bell", "Bell"


class NoticeState(models.TextChoices):
    DUE = "due", "Due"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


class Notice(models.Model):
    """One message to one recipient by one channel. ``event`` names what happened, once in the life of the site.

    A mail goes to ``address``, which may be a group mailbox that belongs to nobody. A bell notice belongs to a user
    and is sent as soon as it is stored. The text is kept as it was sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.CharField(max_length=160, help_text="Such as kmp.request-signed:REQ-00000012")
    kind = models.CharField(max_length=48, help_text="Such as kmp.request-signed")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.EmailField(help_text="Of the recipient, for both channels")
    # What is found by its recipient has an index below; nothing is found by its company. Neither is ever deleted.
    recipient = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="notices", db_index=False)
    company = models.ForeignKey(Company, null=True, on_delete=models.PROTECT, related_name="notices", db_index=False)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    link = models.CharField(max_length=300, blank=True, help_text="Path on this site of the one next step")
    state = models.CharField(max_length=8, choices=NoticeState.choices, default=NoticeState.DUE)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Not before this moment; later after each failure")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was skipped")
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    scope = models.CharField(
        max_length=36,
        blank=True,
        help_text="Whose page Notices it is on: a project's public id, or a company's for KMP",
    )
    watched = models.CharField(
        max_length=48, blank=True, help_text="Which certificate's end it tells of: source and key, such as portal:8f0c…"
    )
    threshold = models.SmallIntegerField(null=True, help_text="Days before the end; below zero after it")
    clock_run = models.UUIDField(null=True, help_text="The company's clock run; none in real time")
    company_at = models.DateTimeField(null=True, help_text="The company's own time at created_at")
    unsubscribe = models.CharField(
        max_length=300, blank=True, help_text="Path that ends mails of this kind, by one click (RFC 8058)"
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            # An event of an expiry notice names certificate, threshold and clock run (`connect.expiry.scan`).
            models.UniqueConstraint(fields=["event", "address", "channel"], name="notice_once"),
            models.CheckConstraint(name="notice_threshold_of_something", condition=Q(threshold=None) | ~Q(watched="")),
            models.CheckConstraint(
                name="notice_sent_whole",
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at=None),
            ),
            models.CheckConstraint(
                name="notice_bell_has_owner", condition=~Q(channel="bell") | Q(recipient__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "state"], name="notice_counted"),
            models.Index(fields=["due_at"], name="notice_due", condition=Q(state="due", channel="mail")),
            models.Index(fields=["recipient", "-created_at"], name="notice_of_user", condition=Q(channel="bell")),
            # Mails are never read: in it they would be for ever.
            models.Index(fields=["recipient"], name="notice_unread_bell", condition=Q(read_at=None, channel="bell")),
            # The pages Notices show mails alone.
            models.Index(
                fields=["scope", "-created_at"], name="notice_mail_of_scope", condition=Q(channel="mail") & ~Q(scope="")
            ),
            # The few that failed among many that were sent.
            models.Index(
                fields=["scope", "state", "-created_at"],
                name="notice_mail_in_state",
                condition=Q(channel="mail") & ~Q(scope=""),
            ),
            models.Index(fields=["watched", "-created_at"], name="notice_of_watched", condition=~Q(watched="")),
            models.Index(
                fields=["clock_run", "company_at"], name="notice_of_run", condition=Q(clock_run__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.address} by {self.get_channel_display()}: {self.get_state_display()}"


class DemoMail(models.Model):
    """A mail that demo mode delivered to its mailbox page instead of a mail server."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message_id = models.CharField(max_length=200)
    sender = models.CharField(max_length=254)
    address = models.EmailField(db_index=True)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at", "-id"]

    def __str__(self) -> str:
        return f"{self.subject} to {self.address}"
