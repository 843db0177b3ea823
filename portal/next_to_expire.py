"""Of each environment of several projects, the live certificates that expire next: for `My Projects`.

One look into an index for each environment that has any. To number all rows and keep the first few of each would read
and sort the 10,000 certificates of a large project for three.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from portal.models import Credential

_FIRST_OF_EACH = """
SELECT first.id FROM unnest(%b::uuid[], %b::text[]) AS place (project, environment), LATERAL (
  SELECT id, expires_at FROM portal_credential
  WHERE project_id = place.project AND environment = place.environment AND ended_at IS NULL AND expires_at >= %s
  ORDER BY expires_at, id LIMIT %s
) AS first ORDER BY first.expires_at, first.id"""


def next_to_expire(places: Collection[tuple[UUID, str]], *, at_most: int, now: datetime) -> list[UUID]:
    """Keys of the first few of each place, a project and one of its environments, the next to expire first.

    In one query, or in none where there is no place. ``now`` is the time of the projects' company.
    """
    if not places:
        return []
    if connection.vendor != "postgresql":
        return list(_numbered(places, at_most=at_most, now=now))
    projects, environments = map(list, zip(*places, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_OF_EACH, [projects, environments, now, at_most])
        return [key for (key,) in cursor.fetchall()]


def _numbered(places: Collection[tuple[UUID, str]], *, at_most: int, now: datetime) -> Iterator[UUID]:
    """The same for a database that knows no LATERAL."""
    projects = {project for project, _ in places}
    live = Credential.objects.filter(project__in=projects, ended_at=None, expires_at__gte=now)
    number = Window(RowNumber(), partition_by=[F("project_id"), F("environment")], order_by=[F("expires_at"), F("pk")])
    first = live.annotate(number=number).filter(number__lte=at_most).order_by("expires_at", "pk")
    for key, project, environment in first.values_list("pk", "project_id", "environment"):
        if (project, environment) in places:
            yield key
