"""What a row needs whose certificate's end people are told of."""

from __future__ import annotations

from django.db import models


class Watched(models.Model):
    """A certificate in somebody's hands: a credential of a project, an entry of KMP's inventory.

    ``next_notice_at`` is a moment of the company's own time: the first threshold that has not been judged yet.
    ``connect.expiry.scan`` is its only reader and moves it on; ``Start over`` sets it back.
    """

    next_notice_at = models.DateTimeField(null=True, editable=False)
    snoozed_until = models.DateField(null=True, help_text="No expiry notice before this day of the company's time")
    snoozed_by = models.CharField(max_length=254, blank=True, help_text="E-mail address of who asked for silence")
    snoozed_run = models.UUIDField(
        null=True, editable=False, help_text="The clock run in which silence was asked for, which it does not outlast"
    )

    class Meta:
        abstract = True
