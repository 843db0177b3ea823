"""Which certificates follow each other, and when nothing is left that works. Plain intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from connect.expiry.sources import Lifetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which none of a group works. ``is_open`` when nothing is known that would end it."""

    begins_at: datetime
    ends_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Certificates that replace each other, the first to expire first. ``gaps`` by the key of the one before each."""

    members: tuple[Lifetime, ...]
    gaps: dict[UUID, Gap]

    def gap_after(self, member: Lifetime) -> Gap | None:
        """The time without a certificate that begins with this one's end."""
        return self.gaps.get(member.key)

    def follows(self, member: Lifetime) -> bool:
        """Whether it replaces another of them."""
        return any(other.successor_key == member.key for other in self.members)

    def rotations(self) -> Iterator[tuple[Lifetime, Lifetime]]:
        """Each certificate with its successor."""
        by_key = {member.key: member for member in self.members}
        for member in self.members:
            if member.successor_key in by_key and member.successor_key != member.key:
                yield member, by_key[member.successor_key]

    def sentences(self, *, now: datetime) -> Iterator[str]:
        """What a picture of them shows, in words."""
        for older, newer in self.rotations():
            begin, end = max(older.begins_at, newer.begins_at), min(older.expires_at, newer.expires_at)
            if begin < end and end > now:
                yield f"{older.name} and {newer.name} overlap from {_day(begin)} to {_day(end)}."
        for member in self.members:
            gap = self.gap_after(member)
            if gap is not None and gap.is_open:
                yield f"{member.name}: no certificate from {_day(gap.begins_at)}."
            elif gap is not None:
                yield f"{member.name}: no certificate from {_day(gap.begins_at)} to {_day(gap.ends_at)}."


def grouped(lifetimes: Sequence[Lifetime], *, until: datetime) -> list[Group]:
    """The certificates by who replaces whom, with the gaps that begin before ``until``; the first to expire first."""
    groups = [_group(members, until=until) for members in _joined(lifetimes)]
    return sorted(groups, key=lambda group: (group.members[0].expires_at, group.members[0].name))


def _joined(lifetimes: Sequence[Lifetime]) -> list[list[Lifetime]]:
    """Everything that leads to the same last certificate."""
    by_key = {lifetime.key: lifetime for lifetime in lifetimes}
    found: dict[UUID, list[Lifetime]] = {}
    for lifetime in lifetimes:
        last, seen = lifetime, {lifetime.key}
        while last.successor_key in by_key and last.successor_key not in seen:
            last = by_key[last.successor_key]
            seen.add(last.key)
        found.setdefault(last.key, []).append(lifetime)
    return list(found.values())


def _group(members: Sequence[Lifetime], *, until: datetime) -> Group:
    ordered = sorted(members, key=lambda member: (member.expires_at, member.begins_at, str(member.key)))
    return Group(tuple(ordered), dict(_gaps(ordered, until=until)))


def _gaps(members: Sequence[Lifetime], *, until: datetime) -> Iterator[tuple[UUID, Gap]]:
    """Each time after a certificate's end in which no other one works, with that certificate's key."""
    last = None
    for member in sorted(members, key=lambda member: member.begins_at):
        if last is not None and last.expires_at < member.begins_at:
            yield last.key, Gap(last.expires_at, member.begins_at, is_open=False)
        if last is None or member.expires_at > last.expires_at:
            last = member
    if last is not None and last.expires_at < until and not _go_on(members, after=last.expires_at):
        yield last.key, Gap(last.expires_at, until, is_open=True)


def _go_on(members: Sequence[Lifetime], *, after: datetime) -> bool:
    """Whether a successor that is not among them works longer."""
    return any(member.successor_expires_at is not None and member.successor_expires_at > after for member in members)


def _day(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y}"
