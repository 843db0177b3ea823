"""Certificates near their end, for the tests of notices."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from certauthority.models import Certificate
from connect.models import Channel, Notice
from kmp.models import InventoryEntry
from portal.models import Credential, Project
from tests.factories import make_many_credentials, make_project

Watched = Credential | InventoryEntry


def end_of(row: Watched) -> datetime:
    """When its certificate ends."""
    return Certificate.objects.get(pk=row.certificate_id).not_after


def before_end(row: Watched, *, days: int) -> datetime:
    """Ten in the morning in UTC, so many days before the day of its end; below zero after it."""
    day = end_of(row).astimezone(UTC) - timedelta(days=days)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)


def watched(row: Watched) -> str:
    """How notices name it."""
    return f"{'portal' if isinstance(row, Credential) else 'kmp'}:{row.pk}"


def mails_of(row: Watched) -> dict[tuple[int | None, str], tuple[str, str]]:
    """State and reason of the mails about its end, by threshold and address. There is one of each."""
    found = Notice.objects.filter(watched=watched(row), channel=Channel.MAIL, threshold__isnull=False)
    values = list(found.values_list("threshold", "address", "state", "reason", "clock_run"))
    assert set(Counter((days, address, run) for days, address, _, _, run in values).values()) <= {1}
    return {(days, address): (state, reason) for days, address, state, reason, _ in values}


def states_of(row: Watched) -> dict[int | None, str]:
    """State of the mails about its end by threshold, where all recipients have the same."""
    found: dict[int | None, str] = {}
    for (days, _), (state, _) in mails_of(row).items():
        assert found.setdefault(days, state) == state
    return found


def make_due_credentials(count: int, *, days: int = 30, project: Project | None = None) -> list[Credential]:
    """Credentials in bulk whose threshold of so many days is today."""
    now = timezone.now()
    project = project or make_project()
    made = make_many_credentials(project, count, not_after=now + timedelta(days=days))
    Credential.objects.filter(pk__in=[row.pk for row in made]).update(
        next_notice_at=now.replace(hour=0, minute=0, second=0, microsecond=0)
    )
    return made
