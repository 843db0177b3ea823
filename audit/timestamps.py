"""Read moments from PostgreSQL by Python's own parser.

psycopg takes each apart by a regular expression, which takes ten times as long; pages and the scan of expiries read
thousands (``make bench``). It stands in the lowest app, so that all have it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg.pq import Format

_TYPE = "timestamptz"


def register() -> None:
    """Let every connection that is made from now on read moments this way."""
    connection_created.connect(_teach, dispatch_uid="audit.timestamps")


def _teach(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.vendor != "postgresql":
        return
    adapters = connection.connection.adapters
    before = adapters.get_loader(adapters.types[_TYPE].oid, Format.TEXT)
    # Django's loader says which time zone it gives moments in.
    if getattr(before, "timezone", None) is UTC:
        adapters.register_loader(_TYPE, _quicker(before))


@cache
def _quicker(before: type[Any]) -> type[Any]:
    class Quicker(before):  # type: ignore[misc]  # known only once there is a connection
        """Moments of UTC that Python knows; others, such as infinity or a year before Christ, as ``before`` does."""

        def load(self, data: Any) -> datetime:
            try:
                moment = datetime.fromisoformat(str(data, "ascii"))
            except ValueError:
                moment = super().load(data)
            return moment if moment.tzinfo is UTC else super().load(data)

    return Quicker
