"""Calls at the live endpoint, added up in memory until they are written.

However many calls come, the tally grows only with certificates, their sources and the hours and minutes passed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeVar
from uuid import UUID

from certauthority.models import ReasonCode

# Of each certificate so many calls are kept one by one.
KEPT_CALLS: Final = 50
MOST_VERSION: Final = 12
MOST_CIPHER: Final = 64

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call with a certificate that the site knows. ``at`` is real time; ``environment`` is the host's."""

    certificate_id: UUID
    at: datetime
    accepted: bool
    reason: ReasonCode
    environment: str
    client_address: str
    tls_version: str
    cipher: str


@dataclass(slots=True)
class Count:
    """How many calls were accepted and refused."""

    accepted: int = 0
    refused: int = 0

    def add(self, other: Count) -> None:
        self.accepted += other.accepted
        self.refused += other.refused


@dataclass(slots=True)
class Span:
    """Calls of one kind: the first, the last, and the last that was accepted."""

    first_at: datetime
    last_at: datetime
    last_accepted_at: datetime | None
    count: Count = field(default_factory=Count)

    def add(self, other: Span) -> None:
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        accepted = [at for at in (self.last_accepted_at, other.last_accepted_at) if at is not None]
        self.last_accepted_at = max(accepted, default=None)
        self.count.add(other.count)


@dataclass(slots=True)
class Tally:
    """What is to be written. ``uses`` counts accepted calls alone; ``calls`` holds the newest of each certificate."""

    hours: dict[tuple[UUID, datetime], Count] = field(default_factory=dict)
    minutes: dict[tuple[UUID, datetime, str], Count] = field(default_factory=dict)
    sources: dict[tuple[UUID, str], Span] = field(default_factory=dict)
    uses: dict[UUID, Span] = field(default_factory=dict)
    calls: dict[UUID, list[SeenCall]] = field(default_factory=dict)

    @classmethod
    def of(cls, calls: Iterable[SeenCall]) -> Tally:
        """The tally of these calls, in any order."""
        tally = cls()
        for call in calls:
            tally.add(call)
        return tally

    @property
    def is_empty(self) -> bool:
        return not self.calls

    @property
    def certificate_ids(self) -> list[UUID]:
        """Whose calls these are, in the order in which rows are locked."""
        return sorted(self.calls)

    def add(self, call: SeenCall) -> None:
        """Add one call. Raises ``ValueError`` where its client address is none: a database would stumble over it."""
        call = _storable(call)
        one = Count(accepted=int(call.accepted), refused=int(not call.accepted))
        minute = call.at.replace(second=0, microsecond=0)
        address = call.client_address
        _count(self.hours, (call.certificate_id, minute.replace(minute=0)), one)
        _count(self.minutes, (call.certificate_id, minute, address), one)
        span = Span(call.at, call.at, call.at if call.accepted else None, one)
        _extend(self.sources, (call.certificate_id, address), span)
        if call.accepted:
            _extend(self.uses, call.certificate_id, span)
        self._keep(call.certificate_id, [call])

    def merge(self, other: Tally) -> None:
        """Add another tally, which is left as it is."""
        for hour, count in other.hours.items():
            _count(self.hours, hour, count)
        for minute, count in other.minutes.items():
            _count(self.minutes, minute, count)
        for source, span in other.sources.items():
            _extend(self.sources, source, span)
        for certificate_id, span in other.uses.items():
            _extend(self.uses, certificate_id, span)
        for certificate_id, calls in other.calls.items():
            self._keep(certificate_id, calls)

    def forget_minutes(self, *, before: datetime) -> None:
        """Leave out minutes that nobody will ask for any more: for as long as nothing can be written."""
        self.minutes = {key: count for key, count in self.minutes.items() if key[1] >= before}

    def newest(self, certificate_id: UUID) -> list[SeenCall]:
        """The calls of one certificate that are kept, the oldest first."""
        return sorted(self.calls[certificate_id], key=lambda call: call.at)[-KEPT_CALLS:]

    def _keep(self, certificate_id: UUID, calls: list[SeenCall]) -> None:
        kept = self.calls.setdefault(certificate_id, [])
        kept.extend(calls)
        if len(kept) > 2 * KEPT_CALLS:
            self.calls[certificate_id] = self.newest(certificate_id)


def _storable(call: SeenCall) -> SeenCall:
    """The call as columns take it: one spelling for each address, and no more of OpenSSL's names than has room."""
    address = ip_address(call.client_address.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return replace(
        call,
        client_address=str(mapped or address),
        tls_version=call.tls_version[:MOST_VERSION],
        cipher=call.cipher[:MOST_CIPHER],
    )


def _count(counts: dict[Key, Count], key: Key, count: Count) -> None:
    counts.setdefault(key, Count()).add(count)


def _extend(spans: dict[Key, Span], key: Key, span: Span) -> None:
    found = spans.get(key)
    if found is None:
        spans[key] = Span(
            span.first_at, span.last_at, span.last_accepted_at, Count(span.count.accepted, span.count.refused)
        )
    else:
        found.add(span)
