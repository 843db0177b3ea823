"""How a certificate was used at the live endpoint of late, in the words of both portals. Times are real time.

Use is an accepted call. One rule says whether a certificate was used in the last hour, for every page that asks: its
last accepted call is less than sixty minutes ago.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from certauthority import use

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the endpoint has seen of one certificate until ``now``.

    ``first_at`` and ``last_at`` are those of accepted calls. ``calls`` and ``refused`` count the last hour, to the
    minute; ``addresses`` are where its accepted calls came from, and ``refused_from`` where others came from.
    """

    now: datetime
    first_at: datetime | None = None
    last_at: datetime | None = None
    calls: int = 0
    refused: int = 0
    addresses: tuple[str, ...] = ()
    refused_from: tuple[str, ...] = ()

    @property
    def is_recent(self) -> bool:
        """Whether it was used in the last hour."""
        return self.last_at is not None and self.now - self.last_at < HOUR

    @property
    def silent_for(self) -> timedelta | None:
        """How long its last use is ago; None for one that was never used."""
        return max(self.now - self.last_at, timedelta()) if self.last_at is not None else None

    @property
    def sources(self) -> str:
        """Where the calls of the last hour came from: ``10.0.0.5 and 2 more``; empty where that is not known."""
        return in_short(self.addresses)

    @property
    def calls_in_words(self) -> str:
        """How many calls were accepted in the last hour: ``1 call``, ``3 calls``; at least the one that is known."""
        return "1 call" if self.calls <= 1 else f"{self.calls:,} calls"

    @property
    def times(self) -> str:
        """How often it was used in the last hour: ``once``, ``3 times``."""
        return "once" if self.calls <= 1 else f"{self.calls:,} times"

    @property
    def recently(self) -> str:
        """The use of the last hour in words: ``3 times in the last hour, last at 14:05 UTC, from 10.0.0.5``."""
        if self.last_at is None or not self.is_recent:
            return "not in the last hour"
        where = f", from {self.sources}" if self.sources else ""
        return f"{self.times} in the last hour, last at {self.last_at.astimezone(UTC):%H:%M} UTC{where}"


def seen_of(certificate_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Seen]:
    """What was seen of each certificate, in two queries; an entry for each id."""
    rows = use.uses(certificate_ids)
    found = {}
    for certificate_id, hour in use.last_hour(certificate_ids, now=now).items():
        row = rows.get(certificate_id)
        found[certificate_id] = Seen(
            now=now,
            first_at=row.first_used_at if row is not None else None,
            last_at=row.last_used_at if row is not None else None,
            calls=hour.accepted,
            refused=hour.refused,
            addresses=hour.accepted_from,
            refused_from=tuple(address for address in hour.addresses if address not in hour.accepted_from),
        )
    return found


def seen(certificate_id: UUID, *, now: datetime) -> Seen:
    """What was seen of one certificate, in two queries."""
    return seen_of([certificate_id], now=now)[certificate_id]


def in_short(addresses: Sequence[str], *, most: int = 1) -> str:
    """The first addresses, and how many more there are."""
    first, more = ", ".join(addresses[:most]), len(addresses) - most
    return f"{first} and {more:,} more" if more > 0 else first


def lasting(duration: timedelta) -> str:
    """A duration in its two largest units: ``44 days``, ``3 hours 12 minutes``, ``less than a minute``."""
    minutes = int(duration.total_seconds()) // 60
    days, hours, minutes = minutes // (24 * 60), minutes // 60 % 24, minutes % 60
    parts = [_counted(days, "day"), _counted(hours, "hour")] if days else []
    parts = parts or [_counted(hours, "hour"), _counted(minutes, "minute")]
    return " ".join(part for part in parts if part) or "less than a minute"


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}" if count else ""
