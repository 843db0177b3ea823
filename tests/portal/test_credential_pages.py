"""Pages of credentials that are found from the nearer end: the same as a sort of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.credential_pages import Listing
from portal.credentials import Show, counts
from portal.models import Credential, EndReason, Environment, Project
from tests.factories import make_many_credentials

EACH_FILTER = pytest.mark.parametrize("show", list(Show), ids=[show.value for show in Show])
ENDED: Mapping[str, Any] = {"end_reason": EndReason.REVOKED}


def fill(project: Project, *, each: int, now: datetime) -> None:
    """So many live, expired and revoked ones, mixed, and one whose end is not known; each two were added at once."""
    make_many_credentials(project, 3 * each + 1)
    keys = list(Credential.objects.filter(project=project).order_by("pk").values_list("pk", flat=True))
    kinds: list[Mapping[str, Any]] = [
        {"expires_at": now + timedelta(days=20)},
        {"expires_at": now - timedelta(days=1)},
        {"expires_at": now + timedelta(days=20), "ended_at": now, **ENDED},
    ]
    for place, key in enumerate(keys[:-1]):
        added = now - timedelta(hours=place * 7919 % len(keys) // 2)
        Credential.objects.filter(pk=key).update(created_at=added, **kinds[place % 3])
    Credential.objects.filter(pk=keys[-1]).update(expires_at=None)


def listing(project: Project, show: Show, *, now: datetime) -> Listing:
    numbers = counts(project, Environment.SANDBOX, now=now)
    return Listing(project, Environment.SANDBOX, show, numbers, now)


def sorted_by_hand(project: Project, show: Show, *, now: datetime) -> list[Any]:
    def group(one: Credential) -> int:
        if one.ended_at is not None:
            return 2
        return 3 if one.expires_at is None else int(one.expires_at < now)

    wanted = {Show.LIVE: {0}, Show.EXPIRED: {1}, Show.REVOKED: {2}, Show.ALL: {0, 1, 2, 3}}[show]
    rows = [one for one in Credential.objects.filter(project=project) if group(one) in wanted]
    rows.sort(key=lambda one: (one.created_at, one.pk.hex), reverse=True)
    rows.sort(key=lambda one: min(group(one), 2))
    return [one.pk for one in rows]


@EACH_FILTER
@pytest.mark.parametrize("length", [1, 4, 25])
def test_each_piece_is_what_a_sort_of_all_of_them_has_there(project: Project, show: Show, length: int) -> None:
    now = timezone.now()
    fill(project, each=7, now=now)
    found, whole = listing(project, show, now=now), sorted_by_hand(project, show, now=now)
    assert len(found) == len(whole) == (22 if show is Show.ALL else 7)
    for place in range(len(whole)):
        assert found[place : place + length] == whole[place : place + length]
    assert [found[0], found[-1]] == [whole[0], whole[-1]]
    assert [found[::2], found[5:1:-1]] == [whole[::2], whole[5:1:-1]]
    with pytest.raises(IndexError):
        found[len(whole)]


@EACH_FILTER
def test_beyond_the_end_there_is_nothing(project: Project, show: Show) -> None:
    now = timezone.now()
    assert listing(project, show, now=now)[0:25] == []
    fill(project, each=1, now=now)
    assert listing(project, show, now=now)[4:25] == []


def test_other_projects_and_environments_are_apart(project: Project) -> None:
    now = timezone.now()
    make_many_credentials(project, 2)
    numbers = {**dict.fromkeys(Show, 0), Show.LIVE: 2, Show.ALL: 2}
    assert len(Listing(project, Environment.SANDBOX, Show.ALL, numbers, now)[0:2]) == 2
    assert Listing(project, Environment.PRODUCTION, Show.ALL, numbers, now)[0:2] == []
    elsewhere = Project.objects.create(company=project.company, name="Elsewhere", created_at=now)
    assert Listing(elsewhere, Environment.SANDBOX, Show.LIVE, numbers, now)[0:2] == []


def test_one_that_expires_this_very_moment_is_live(project: Project) -> None:
    (one,) = make_many_credentials(project, 1)
    now = timezone.now()
    Credential.objects.filter(pk=one.pk).update(expires_at=now)
    assert listing(project, Show.LIVE, now=now)[0:1] == [one.pk]
    later = now + timedelta(microseconds=1)
    assert listing(project, Show.EXPIRED, now=later)[0:1] == [one.pk]
    assert listing(project, Show.LIVE, now=later)[0:1] == []


@pytest.mark.parametrize("length", [25, 5])
def test_a_page_is_one_query_wherever_it_is(project: Project, length: int) -> None:
    now = timezone.now()
    fill(project, each=8, now=now)
    pages = Paginator(listing(project, Show.ALL, now=now), length)
    assert [key for page in pages for key in page] == sorted_by_hand(project, Show.ALL, now=now)
    for number in pages.page_range:
        with CaptureQueriesContext(connection) as captured:
            list(pages.page(number))
        assert len(captured) == 1


@pytest.mark.postgresql
def test_the_last_page_passes_few_of_many(project: Project) -> None:
    now = timezone.now()
    fill(project, each=40, now=now)
    found = listing(project, Show.ALL, now=now)
    with CaptureQueriesContext(connection) as captured:
        assert found[118:121] == sorted_by_hand(project, Show.ALL, now=now)[118:121]
    assert "ASC" in captured[0]["sql"]
    assert captured[0]["sql"].rstrip().endswith("LIMIT 3 OFFSET 0\n) AS piece0")
