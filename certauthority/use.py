"""What the live endpoint has seen of certificates, for pages and rules. All times are real time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from certauthority.models import (
    CertificateUse,
    CertificateUseHour,
    CertificateUseMinute,
    CertificateUseSource,
    EndpointCall,
)


@dataclass(frozen=True, slots=True)
class HourOfUse:
    """Calls in one hour. ``hour`` is its first moment."""

    hour: datetime
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class SourceOfUse:
    """An address that presented the certificate. ``last_accepted_at`` is None where every call was refused."""

    address: str
    first_at: datetime
    last_at: datetime
    last_accepted_at: datetime | None
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class LastHour:
    """Calls in sixty minutes. ``addresses`` are where they came from, the one with most calls first.

    ``accepted_from`` are those of them from which a call was accepted, the one with most of these first.
    """

    accepted: int
    refused: int
    addresses: tuple[str, ...]
    accepted_from: tuple[str, ...]


def uses(certificate_ids: Collection[UUID]) -> dict[UUID, CertificateUse]:
    """When each certificate was first and last accepted; no entry for one that never was."""
    rows = CertificateUse.objects.filter(certificate_id__in=certificate_ids)
    return {row.certificate_id: row for row in rows}


def hours(certificate_ids: Collection[UUID], *, since: datetime, until: datetime) -> dict[UUID, list[HourOfUse]]:
    """The hours with calls that begin at ``since`` or later and before ``until``, in order; an entry for each id."""
    found: dict[UUID, list[HourOfUse]] = {certificate_id: [] for certificate_id in certificate_ids}
    rows = CertificateUseHour.objects.filter(certificate_id__in=certificate_ids, hour__gte=since, hour__lt=until)
    for row in rows.order_by("certificate_id", "hour"):
        found[row.certificate_id].append(HourOfUse(row.hour, row.accepted, row.refused))
    return found


def sources(certificate_ids: Collection[UUID]) -> dict[UUID, list[SourceOfUse]]:
    """Where each certificate was presented from, the latest first; an entry for each id."""
    found: dict[UUID, list[SourceOfUse]] = {certificate_id: [] for certificate_id in certificate_ids}
    rows = CertificateUseSource.objects.filter(certificate_id__in=certificate_ids)
    for row in rows.order_by("-last_at", "client_address"):
        found[row.certificate_id].append(_source(row))
    return found


def latest_sources(certificate_id: UUID, *, most: int) -> list[SourceOfUse]:
    """Where one certificate was presented from: the latest few."""
    rows = CertificateUseSource.objects.filter(certificate_id=certificate_id)
    return [_source(row) for row in rows.order_by("-last_at", "client_address")[:most]]


def last_hour(certificate_ids: Collection[UUID], *, now: datetime) -> dict[UUID, LastHour]:
    """The calls of the sixty minutes before ``now``, to the minute; an entry for each id.

    The minute that began sixty minutes ago counts whole: a call is rather told a minute too long than too short.
    """
    since = now.replace(second=0, microsecond=0) - timedelta(hours=1)
    rows = CertificateUseMinute.objects.filter(
        certificate_id__in=certificate_ids, minute__gte=since, minute__lte=now
    ).order_by("client_address")
    counts: dict[UUID, dict[str, list[int]]] = {certificate_id: {} for certificate_id in certificate_ids}
    for row in rows:
        count = counts[row.certificate_id].setdefault(row.client_address, [0, 0])
        count[0] += row.accepted
        count[1] += row.refused
    return {certificate_id: _hour_of(addresses) for certificate_id, addresses in counts.items()}


def last_calls(certificate_id: UUID, *, most: int = 20) -> list[EndpointCall]:
    """The last calls with one certificate, the newest first."""
    return list(EndpointCall.objects.filter(certificate_id=certificate_id).order_by("-at", "-id")[:most])


def _hour_of(addresses: dict[str, list[int]]) -> LastHour:
    return LastHour(
        accepted=sum(accepted for accepted, _ in addresses.values()),
        refused=sum(refused for _, refused in addresses.values()),
        addresses=tuple(sorted(addresses, key=lambda address: (-sum(addresses[address]), address))),
        accepted_from=tuple(
            sorted(
                (address for address in addresses if addresses[address][0]), key=lambda one: (-addresses[one][0], one)
            )
        ),
    )


def _source(row: CertificateUseSource) -> SourceOfUse:
    return SourceOfUse(
        address=row.client_address,
        first_at=row.first_at,
        last_at=row.last_at,
        last_accepted_at=row.last_accepted_at,
        accepted=row.accepted,
        refused=row.refused,
    )
