"""Rotations: which certificate replaces which, what the endpoint has seen of both, and whether the old one may go.

The page of a certificate, `Revoke certificate`, the rotation report and the guided rotation all read their facts here,
so that they never contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from certauthority import use
from certauthority.use import HourOfUse
from connect.recent_use import Seen, seen_of
from portal.credentials import Row, loaded, row
from portal.models import Credential
from portal.rotation_verdict import Side, Verdict, verdict_of, without_successor

# Pauses of the old certificate are looked for in so many days.
PAUSES_WITHIN: Final = timedelta(days=30)
LEAST_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """An old certificate and the one that replaces it."""

    old: Row
    new: Row


@dataclass(frozen=True, slots=True)
class Rotation:
    """A pair with what the endpoint has seen of both, and the verdict."""

    pair: Pair
    old: Side
    new: Side

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.old, self.new)


def pair_of(credential: Credential, *, now: datetime) -> Pair | None:
    """The rotation that a credential belongs to; None where it replaces nothing and nothing replaces it.

    One that belongs to two, since it replaced one and was replaced itself, stands for the rotation that is under way:
    its own, while it and its successor live; then the one before it, while that lives; else its own. Of several
    successors the newest live one counts, or the newest. ``now`` is the company's time.
    """
    successors = list(Credential.objects.filter(predecessor=credential).order_by("created_at", "pk"))
    live = [successor for successor in successors if successor.ended_at is None]
    before = credential.predecessor
    if live and credential.ended_at is None:
        keys = (credential.pk, live[-1].pk)
    elif before is not None and (before.ended_at is None or not successors):
        keys = (before.pk, credential.pk)
    elif successors:
        keys = (credential.pk, (live or successors)[-1].pk)
    else:
        return None
    old, new = loaded(keys)
    return Pair(row(old, now=now), row(new, now=now))


def pairs_in(rows: Mapping[UUID, Row], keys: Iterable[tuple[UUID, UUID]]) -> list[Pair]:
    """The pairs with these keys, old and new. A certificate may have gone since its key was read."""
    return [Pair(rows[old], rows[new]) for old, new in keys if old in rows and new in rows]


def rotations_of(pairs: Sequence[Pair], *, now: datetime, company_now: datetime) -> list[Rotation]:
    """What the endpoint has seen of these pairs, in three queries for any number. ``now`` is real time."""
    olds = [pair.old.certificate.pk for pair in pairs]
    seen = seen_of({*olds, *(pair.new.certificate.pk for pair in pairs)}, now=now)
    hours = use.hours(olds, since=now - PAUSES_WITHIN, until=now + timedelta(hours=1))
    return [
        Rotation(
            pair=pair,
            old=_side(pair.old, seen, hours=hours[pair.old.certificate.pk], now=company_now),
            new=_side(pair.new, seen, hours=(), now=company_now),
        )
        for pair in pairs
    ]


def safety_of(shown: Row, *, now: datetime, company_now: datetime) -> Verdict:
    """Whether a live certificate is safe to revoke. ``now`` is real time; ``company_now`` says what has expired."""
    if shown.replaced_by is None:
        seen = seen_of([shown.certificate.pk], now=now)
        return without_successor(_side(shown, seen, hours=(), now=company_now))
    (successor,) = loaded([shown.replaced_by.pk])
    pair = Pair(shown, row(successor, now=company_now))
    return rotations_of([pair], now=now, company_now=company_now)[0].verdict


def longest_pause(hours: Iterable[HourOfUse]) -> timedelta:
    """The longest time between two hours in a row in which there were accepted calls.

    None is told of a certificate that was used on fewer than three days (UTC): a few tries by hand are no rhythm.
    """
    used = [hour.hour for hour in hours if hour.accepted]
    if len({hour.astimezone(UTC).date() for hour in used}) < LEAST_DAYS:
        return timedelta()
    return max((later - earlier for earlier, later in pairwise(used)), default=timedelta())


def _side(shown: Row, seen: dict[UUID, Seen], *, hours: Iterable[HourOfUse], now: datetime) -> Side:
    credential = shown.credential
    return Side(
        alias=credential.alias,
        seen=seen[shown.certificate.pk],
        is_expired=shown.certificate.not_after < now,
        is_not_yet_valid=now < shown.certificate.not_before,
        ended_at=credential.ended_at,
        ended_label=credential.get_end_reason_display() if credential.end_reason else "",
        longest_pause=longest_pause(hours),
    )
