"""Numbers that people read to each other: requests and inventory references."""

from __future__ import annotations

from django.db import models


class Sequence(models.Model):
    """The last number given of one kind. Its row is held until the end of the transaction that takes a number."""

    name = models.CharField(max_length=16, primary_key=True)
    last = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"
