"""Removes what was counted long ago, in pages, so that no transaction is long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from certauthority.models import CertificateUseHour, CertificateUseMinute, CertificateUseSource, EndpointCall

KEPT: Final = timedelta(days=90)
KEPT_MINUTES: Final = timedelta(hours=2)
_PAGE: Final = 2000


def purge(*, now: datetime) -> int:
    """Remove hours, sources and calls older than 90 days. Returns how many rows went. When a certificate was first
    and last used stays for as long as its row.
    """
    since = now - KEPT
    return (
        _remove(CertificateUseHour.objects.filter(hour__lt=since))
        + _remove(CertificateUseSource.objects.filter(last_at__lt=since))
        + _remove(EndpointCall.objects.filter(at__lt=since))
    )


def purge_minutes(*, now: datetime) -> int:
    """Remove minutes older than two hours. Returns how many rows went."""
    return _remove(CertificateUseMinute.objects.filter(minute__lt=now - KEPT_MINUTES))


def _remove(
    old: QuerySet[CertificateUseHour]
    | QuerySet[CertificateUseMinute]
    | QuerySet[CertificateUseSource]
    | QuerySet[EndpointCall],
) -> int:
    """Each page is a transaction of its own. The condition stands in the deletion, too: a source may be seen anew."""
    removed = 0
    while keys := list(old.values_list("pk", flat=True)[:_PAGE]):
        count, _ = old.filter(pk__in=keys).delete()
        removed += count
        if count == 0:
            break
    return removed
