"""What the pages ``Notices`` show of the time to come: read from the portals, judged by ``connect.expiry.forecast``.

Moments are of the company's own time. However many certificates there are, it takes the same number of queries, and
holds no more than a page of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from certauthority.x509.profile import add_months
from connect.expiry.forecast import Alike, Coming, Outline, forecast, outline
from connect.expiry.sources import Lifetime, Source, sources
from connect.notices import Recipient

DUE_DAYS = 30
MONTHS = 13
LISTED = 50


@dataclass(frozen=True, slots=True)
class Due:
    """A notice of the next days, and whom it will reach."""

    coming: Coming
    to: Sequence[Recipient]


@dataclass(frozen=True, slots=True)
class Outlook:
    """``due`` are the first notices of the next ``DUE_DAYS`` days, ``due_count`` is how many there are.

    ``coming`` counts those of the next ``MONTHS`` months; ``snoozed`` are certificates of which nobody hears for now.
    """

    due: tuple[Due, ...]
    due_count: int
    coming: Outline
    snoozed: tuple[Lifetime, ...]


def outlook(scopes: Collection[str], *, now: datetime) -> Outlook:
    """The notices to come about the certificates of these scopes, whose companies' clocks show ``now``."""
    soon, later = now + timedelta(days=DUE_DAYS), add_months(now, MONTHS)
    groups = [group for source in sources() for group in _groups(source, scopes, now=now, until=later)]
    return Outlook(
        due=tuple(_due(scopes, now=now, until=soon)),
        due_count=outline(groups, now=now, until=soon).notices,
        coming=outline(groups, now=now, until=later),
        snoozed=tuple(_snoozed(scopes, now=now)),
    )


def _groups(source: Source, scopes: Collection[str], *, now: datetime, until: datetime) -> Iterator[Alike]:
    rows = source.speaking(source.of_scopes(scopes), now=now).filter(next_notice_at__lte=until).order_by()
    alike = rows.annotate(day=TruncDate(source.expiry, tzinfo=UTC)).values("day", "next_notice_at", "snoozed_until")
    for group in alike.annotate(number=Count("pk")):
        yield Alike(group["day"], group["next_notice_at"], group["snoozed_until"], group["number"])


def _due(scopes: Collection[str], *, now: datetime, until: datetime) -> Iterator[Due]:
    """The first of them, at most ``LISTED``, and none before which one is left out."""
    found: list[Coming] = []
    whole_until = until
    for source in sources():
        rows = source.speaking(source.of_scopes(scopes), now=now).filter(next_notice_at__lte=until)
        awake = rows.exclude(snoozed_until__gt=until.date()).order_by("next_notice_at", source.expiry, "pk")
        lifetimes = source.lifetimes(awake[:LISTED])
        found += forecast(lifetimes, now=now, until=until)
        if len(lifetimes) == LISTED:  # Those that were not read have nothing to say before this moment.
            whole_until = min(whole_until, max(lifetimes[-1].next_notice_at or now, now))
    found.sort(key=lambda coming: coming.at)
    listed = [coming for coming in found if coming.at <= whole_until][:LISTED]
    told = _recipients([coming.lifetime for coming in listed])
    for coming in listed:
        yield Due(coming, told.get(coming.lifetime.watched, ()))


def _recipients(lifetimes: Sequence[Lifetime]) -> dict[str, Sequence[Recipient]]:
    told: dict[str, Sequence[Recipient]] = {}
    for source in sources():
        own = list({lifetime.key: lifetime for lifetime in lifetimes if lifetime.source == source.name}.values())
        found = source.recipients(own) if own else {}
        told |= {f"{source.name}:{key}": recipients for key, recipients in found.items()}
    return told


def _snoozed(scopes: Collection[str], *, now: datetime) -> Iterator[Lifetime]:
    today = now.astimezone(UTC).date()
    for source in sources():
        rows = source.of_scopes(scopes).filter(snoozed_until__gt=today).order_by("snoozed_until", "pk")
        yield from source.lifetimes(rows[:LISTED])
