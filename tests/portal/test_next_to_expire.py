"""The live certificates that expire next, of each environment of several projects."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import Credential, EndReason, Environment, Project
from portal.next_to_expire import next_to_expire
from tests.factories import make_many_credentials, make_project

MOST = 3


def fill(project: Project, environment: Environment, *, each: int, now: datetime) -> None:
    """So many that are live, each two with one end, and beside them one that has expired and one that was revoked."""
    keys = [one.pk for one in make_many_credentials(project, each + 2, environment)]
    for place, key in enumerate(keys[:each]):
        Credential.objects.filter(pk=key).update(expires_at=now + timedelta(days=place * 5 % each // 2))
    Credential.objects.filter(pk=keys[-2]).update(expires_at=now - timedelta(microseconds=1))
    ended = {"ended_at": now, "end_reason": EndReason.REVOKED}
    Credential.objects.filter(pk=keys[-1]).update(expires_at=now + timedelta(microseconds=1), **ended)


def by_hand(project: Project, environment: Environment, *, now: datetime) -> list[UUID]:
    live = Credential.objects.filter(project=project, environment=environment, ended_at=None, expires_at__gte=now)
    return [one.pk for one in sorted(live, key=lambda one: (one.expires_at, one.pk.bytes))][:MOST]


def test_each_place_has_its_own_first_few_in_order(project: Project) -> None:
    now = timezone.now()
    projects = (project, make_project(name="Second"), make_project(name="Third"))
    for one, environment in product(projects, Environment):
        fill(one, environment, each=7, now=now)
    places = [*product(projects[:1], Environment), (projects[1], Environment.PRODUCTION)]
    found = next_to_expire([(one.pk, environment.value) for one, environment in places], at_most=MOST, now=now)
    assert len(found) == len(set(found)) == MOST * len(places)
    of_place = {(one.pk, environment.value): by_hand(one, environment, now=now) for one, environment in places}
    rows = Credential.objects.in_bulk(found)
    for place, expected in of_place.items():
        assert [key for key in found if (rows[key].project_id, rows[key].environment) == place] == expected


def test_fewer_than_that_are_all_there_are_and_the_first_is_the_next_to_expire(project: Project) -> None:
    now = timezone.now()
    fill(project, Environment.SANDBOX, each=2, now=now)
    place = (project.pk, Environment.SANDBOX.value)
    assert next_to_expire([place], at_most=MOST, now=now) == by_hand(project, Environment.SANDBOX, now=now)
    assert len(next_to_expire([place], at_most=MOST, now=now)) == 2
    assert next_to_expire([place], at_most=1, now=now) == by_hand(project, Environment.SANDBOX, now=now)[:1]
    assert next_to_expire([place], at_most=MOST, now=now + timedelta(days=400)) == []


@pytest.mark.parametrize("count", [0, 1, 3])
def test_it_is_one_query_however_many_projects_there_are(project: Project, count: int) -> None:
    places = [(make_project(name=f"Project {number}").pk, Environment.SANDBOX.value) for number in range(count)]
    with CaptureQueriesContext(connection) as captured:
        assert next_to_expire(places, at_most=MOST, now=timezone.now()) == []
    assert len(captured) == min(count, 1)
