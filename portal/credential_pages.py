"""One page of an environment's credentials, found from whichever end is nearer.

Live ones come first, then expired ones, then revoked ones: an order that moves with time, and none of an index. But
each of these groups is an index's, newest first, and how many it has is counted for the filters anyway. So a page is so
many of one group after so many others, or before so many where that is less to pass, and nothing is sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, overload
from uuid import UUID

from django.db import connection

from audit.statements import ask
from portal.credentials import Show
from portal.models import Environment, Project

_LIVE = "ended_at IS NULL AND expires_at >= %s"
_EXPIRED = "ended_at IS NULL AND expires_at < %s"
_REVOKED = "ended_at IS NOT NULL"
# All that is neither live nor expired. One whose end is not known yet is among them, so that no list loses it.
_OTHERS = "(ended_at IS NOT NULL OR expires_at IS NULL)"
_GROUPS = {
    Show.LIVE: (_LIVE,),
    Show.EXPIRED: (_EXPIRED,),
    Show.REVOKED: (_REVOKED,),
    Show.ALL: (_LIVE, _EXPIRED, _OTHERS),
}
_PIECE = """
SELECT {number} AS piece, id FROM (
  SELECT id FROM portal_credential WHERE project_id = %s AND environment = %s AND {condition}
  ORDER BY created_at {way}, id {way} LIMIT %s OFFSET %s
) AS piece{number}"""


@dataclass(frozen=True, slots=True)
class Listing(Sequence[UUID]):
    """Keys of the credentials of one environment, each group newest first: a sequence for Django's ``Paginator``.

    ``numbers`` says how many each filter shows (``portal.credentials.counts``).
    """

    project: Project
    environment: Environment
    show: Show
    numbers: Mapping[Show, int]
    now: datetime

    def __len__(self) -> int:
        return self.numbers[self.show]

    @overload
    def __getitem__(self, place: int) -> UUID: ...
    @overload
    def __getitem__(self, place: slice) -> list[UUID]: ...
    def __getitem__(self, place: int | slice) -> UUID | list[UUID]:
        """The key at one place, or all between two, in one query, however many groups they are of."""
        if isinstance(place, slice):
            begin, end, step = place.indices(len(self))
            return self._between(begin, end)[::step] if step > 0 else self._between(end + 1, begin + 1)[::step]
        at = range(len(self))[place]
        return self._between(at, at + 1)[0]

    def _between(self, begin: int, end: int) -> list[UUID]:
        pieces = list(self._pieces(begin, end))
        if not pieces:
            return []
        found: list[list[UUID]] = [[] for _ in pieces]
        sql = " UNION ALL ".join(piece.sql(number) for number, piece in enumerate(pieces))
        for number, key in ask(sql, list(chain.from_iterable(piece.values for piece in pieces))):
            found[number].append(key if isinstance(key, UUID) else UUID(key))
        return [
            key
            for piece, keys in zip(pieces, found, strict=True)
            for key in (reversed(keys) if piece.is_from_end else keys)
        ]

    def _pieces(self, begin: int, end: int) -> Iterator[_Piece]:
        """What the places reach into, group by group."""
        for condition, size in zip(_GROUPS[self.show], self._sizes(), strict=True):
            first, last = max(begin, 0), min(end, size)
            begin, end = begin - size, end - size
            if first >= last:
                continue
            is_from_end = size - last < first
            passed = size - last if is_from_end else first
            moment = [_moment(self.now)] if "%s" in condition else []
            values = [self.project.pk.hex, self.environment.value, *moment, last - first, passed]
            yield _Piece(condition, is_from_end, values)

    def _sizes(self) -> tuple[int, ...]:
        if self.show is not Show.ALL:
            return (len(self),)
        live, expired = self.numbers[Show.LIVE], self.numbers[Show.EXPIRED]
        return live, expired, len(self) - live - expired


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of one group, which comes oldest first where it is found from the end."""

    condition: str
    is_from_end: bool
    values: list[Any]

    def sql(self, number: int) -> str:
        return _PIECE.format(number=number, condition=self.condition, way="ASC" if self.is_from_end else "DESC")


def _moment(moment: datetime) -> Any:
    """As the database keeps it: SQLite has text."""
    return connection.ops.adapt_datetimefield_value(moment)
