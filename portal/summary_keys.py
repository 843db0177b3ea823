"""Which certificates `Project summary` tells of, and how many: two statements of our own.

Each part takes the first few of one order, which an index has. Django would ask for them one after the other, and take
longer to write each question than the database to answer it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from audit.statements import ask
from connect.expiry.timeline import MOST_BARS, Frame
from portal.models import Environment, Project

# Of what expires next, each environment names so many; of what nothing is ready to replace, so many are named.
NEXT_IN_EACH: Final = 3
NAMED: Final = 3
# A project's page shows so many rotations; a rotation that is done stays on it for a day.
MOST_ROTATIONS: Final = 5
SHOWN_WHEN_DONE: Final = timedelta(days=1)

_ROWS = "FROM portal_credential c WHERE c.project_id = %(project)s AND c.ended_at IS NULL"
_LIVE, _EXPIRED = "c.expires_at >= %(now)s", "c.expires_at < %(now)s"
# Ends soon or has ended, and has no successor that is live and not expired.
_UNREPLACED = """c.expires_at < %(soon)s AND NOT EXISTS (SELECT 1 FROM portal_credential s
  WHERE s.predecessor_id = c.id AND s.ended_at IS NULL AND s.expires_at >= %(now)s)"""
_FIRST = "SELECT c.id, c.id AS other {rows} AND {which} ORDER BY c.expires_at {way}, c.id LIMIT {most}"
# Live certificates that replace one that is live, or was a day ago.
_ROTATIONS = """SELECT c.id, c.predecessor_id AS other FROM portal_credential c
  JOIN portal_credential old ON old.id = c.predecessor_id
  WHERE c.project_id = %(project)s AND c.ended_at IS NULL AND c.predecessor_id IS NOT NULL
    AND (old.ended_at IS NULL OR old.ended_at > %(a_day_ago)s)
  ORDER BY old.expires_at, old.id, c.created_at DESC, c.id DESC LIMIT {most}"""
# One look into the index for all certificates together: to a join the planner may answer by reading everybody's.
_LAST_USE = """SELECT c.id, c.id AS other FROM (
  WITH used AS (SELECT certificate_id, last_used_at FROM certauthority_certificateuse WHERE certificate_id {among})
  SELECT c.id FROM used JOIN portal_credential c ON c.certificate_id = used.certificate_id
  WHERE c.project_id = %(project)s AND used.last_used_at = (SELECT max(last_used_at) FROM used)
  ORDER BY c.id LIMIT 1) c"""
_CERTIFICATES = "(SELECT certificate_id FROM portal_credential WHERE project_id = %(project)s)"
_PART = "SELECT {number} AS part, part{number}.id, part{number}.other FROM ({part}) part{number}"
_COUNTED = f"count(CASE WHEN {_LIVE} THEN 1 END), count(CASE WHEN {_EXPIRED} THEN 1 END) {_ROWS}"
_COUNTS = f"""
SELECT environment, {_COUNTED} GROUP BY environment
UNION ALL SELECT '', {_COUNTED} AND {_UNREPLACED}
"""


def _first(*which: str, most: int, way: str = "") -> str:
    return _FIRST.format(rows=_ROWS, which=" AND ".join(which), way=way, most=most)


_PARTS: Final = {
    **{
        f"next in {environment}": _first(_LIVE, f"c.environment = '{environment}'", most=NEXT_IN_EACH)
        for environment in Environment.values
    },
    # One more than are drawn, to know whether there are more.
    "live": _first(_LIVE, most=MOST_BARS + 1),
    "expired": _first(_EXPIRED, most=MOST_BARS),
    "past": _first(_EXPIRED, "c.expires_at >= %(drawn_from)s", most=MOST_BARS, way="DESC"),
    "ending": _first(_LIVE, _UNREPLACED, most=NAMED),
    "ended": _first(_EXPIRED, _UNREPLACED, most=NAMED, way="DESC"),
    "rotations": _ROTATIONS.format(most=4 * MOST_ROTATIONS),
    "last use": _LAST_USE,
}


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of what the page tells of, each in the order in which it is shown.

    ``next`` are the live ones of each environment that expire next, and ``live`` the first to expire of all. Where
    these leave room, ``expired`` are the first that have expired, for the table, and ``past`` the last since the
    picture begins. ``ending`` and ``ended`` are those that nothing replaces, ``rotations`` the old one and the new one
    of each, and ``last_used`` is none where no use has been seen.
    """

    next: tuple[UUID, ...]
    live: tuple[UUID, ...]
    expired: tuple[UUID, ...]
    past: tuple[UUID, ...]
    ending: tuple[UUID, ...]
    ended: tuple[UUID, ...]
    rotations: tuple[tuple[UUID, UUID], ...]
    last_used: UUID | None

    def all(self) -> set[UUID]:
        """Each of them once."""
        found = {*self.next, *self.live, *self.expired, *self.past, *self.ending, *self.ended}
        found.update(key for pair in self.rotations for key in pair)
        return found if self.last_used is None else found | {self.last_used}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are live and how many have expired in each environment, and of how many nothing takes over."""

    held: Mapping[str, tuple[int, int]]
    ending: int
    ended: int


def keys_of(project: Project, *, now: datetime, real_now: datetime) -> Keys:
    """In one query. ``now`` is the company's time; a rotation that is done is shown by real time."""
    found = _asked(tuple(_PARTS), project, now=now, real_now=real_now)
    first = {name: tuple(key for key, _ in found[name]) for name in _PARTS}
    room = max(MOST_BARS - len(first["live"]), 0)
    return Keys(
        next=tuple(key for environment in Environment.values for key in first[f"next in {environment}"]),
        live=first["live"],
        expired=first["expired"][:room],
        past=first["past"][:room],
        ending=first["ending"],
        ended=first["ended"],
        rotations=_newest(found["rotations"]),
        last_used=next(iter(first["last use"]), None),
    )


def ending_keys(project: Project, *, now: datetime) -> tuple[UUID, ...]:
    """Those of ``keys_of`` that expire soon and that nothing replaces. ``now`` is the company's time."""
    return tuple(key for key, _ in _asked(("ending",), project, now=now, real_now=now)["ending"])


def rotation_keys(project: Project, *, real_now: datetime) -> tuple[tuple[UUID, UUID], ...]:
    """Those of ``keys_of`` that are being replaced, each with what replaces it."""
    return _newest(_asked(("rotations",), project, now=real_now, real_now=real_now)["rotations"])


def counts_of(project: Project, *, now: datetime) -> Counts:
    """In one query. ``now`` is the company's time."""
    found = {place: (live, expired) for place, live, expired in ask(_COUNTS, _values(project, now, now))}
    ending, ended = found.pop("")
    return Counts(held=found, ending=ending, ended=ended)


def _asked(
    names: tuple[str, ...], project: Project, *, now: datetime, real_now: datetime
) -> defaultdict[str, list[tuple[UUID, UUID]]]:
    """The keys of each part, in its order. Which part comes first is nowhere promised, so each row names its own."""
    found = defaultdict[str, list[tuple[UUID, UUID]]](list)
    for number, key, other in ask(_statement(names, connection.vendor), _values(project, now, real_now)):
        found[names[number]].append((_key(key), _key(other)))
    return found


@cache
def _statement(names: tuple[str, ...], vendor: str) -> str:
    among = f"= ANY(ARRAY{_CERTIFICATES})" if vendor == "postgresql" else f"IN {_CERTIFICATES}"
    parts = (_PARTS[name].format(among=among) for name in names)
    return " UNION ALL ".join(_PART.format(number=number, part=part) for number, part in enumerate(parts))


def _newest(rotations: list[tuple[UUID, UUID]]) -> tuple[tuple[UUID, UUID], ...]:
    """Old and new of the first rotations; of several successors the newest, which comes first."""
    newest: dict[UUID, UUID] = {}
    for new, old in rotations:
        newest.setdefault(old, new)
    return tuple(newest.items())[:MOST_ROTATIONS]


def _values(project: Project, now: datetime, real_now: datetime) -> dict[str, Any]:
    # Days left are counted in whole UTC days, so "soon" ends at a midnight.
    last_day = now.astimezone(UTC).date() + timedelta(days=settings.EXPIRING_SOON_DAYS)
    return {
        "project": project.pk.hex,
        "now": _moment(now),
        "soon": _moment(datetime.combine(last_day + timedelta(days=1), time(), UTC)),
        "drawn_from": _moment(Frame.around(now).begins_at),
        "a_day_ago": _moment(real_now - SHOWN_WHEN_DONE),
    }


def _moment(moment: datetime) -> Any:
    """As the database keeps it: SQLite has text."""
    return connection.ops.adapt_datetimefield_value(moment)


def _key(key: UUID | str) -> UUID:
    return key if isinstance(key, UUID) else UUID(key)
