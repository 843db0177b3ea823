"""Which certificates `Project summary` tells of: the statements against the same rules in Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority.models import Certificate, CertificateUse
from connect.expiry.timeline import MOST_BARS, Frame
from portal.models import Credential, EndReason, Environment, Project
from portal.summary_keys import MOST_ROTATIONS, NAMED, NEXT_IN_EACH, counts_of, ending_keys, keys_of, rotation_keys
from tests.factories import make_many_credentials, make_project

# Real time and the company's differ, so that what is asked by which shows.
REAL_NOW = datetime(2027, 1, 4, 12, 30, tzinfo=UTC)
NOW = REAL_NOW + timedelta(days=10)
SOON = datetime.combine(NOW.date() + timedelta(days=31), time(), UTC)


@pytest.fixture(params=[3, 12, 150], ids=["few", "some", "many"])
def project(request: pytest.FixtureRequest, project: Project) -> Project:
    """Certificates of every kind, some with successors, uses and equal moments; and another project's."""
    chance = random.Random(request.param)
    for holder in (project, make_project()):
        for environment, share in ((Environment.SANDBOX, request.param), (Environment.PRODUCTION, request.param // 3)):
            _vary(make_many_credentials(holder, share, environment), chance)
    return project


def _vary(credentials: list[Credential], chance: random.Random) -> None:
    before: list[Credential] = []
    for one in credentials:
        ends = NOW + timedelta(days=chance.choice([-60, -20, -3, 0, 5, 30, 31, 40, 200]))
        Certificate.objects.filter(pk=one.certificate_id).update(not_after=ends)
        if chance.random() < 0.25:
            one.ended_at = REAL_NOW - timedelta(hours=chance.choice([2, 23, 24, 25, 90]))
            one.end_reason = EndReason.REVOKED
        if before and chance.random() < 0.4:
            one.predecessor = chance.choice(before)
        one.created_at = REAL_NOW - timedelta(days=chance.randrange(5))
        one.save(update_fields=["ended_at", "end_reason", "predecessor", "created_at"])
        if chance.random() < 0.3:
            used = REAL_NOW - timedelta(hours=chance.randrange(4))
            CertificateUse.objects.create(certificate_id=one.certificate_id, first_used_at=used, last_used_at=used)
        before.append(one)


def rows(project: Project) -> list[Credential]:
    return list(Credential.objects.filter(project=project).select_related("predecessor", "certificate__use"))


def end(one: Credential) -> datetime:
    assert one.expires_at is not None
    return one.expires_at


def is_live(one: Credential) -> bool:
    return one.ended_at is None and end(one) >= NOW


def is_expired(one: Credential) -> bool:
    return one.ended_at is None and end(one) < NOW


def soonest(found: Iterable[Credential], most: int) -> tuple[UUID, ...]:
    return tuple(one.pk for one in sorted(found, key=lambda one: (end(one), one.pk))[:most])


def latest(found: Iterable[Credential], most: int) -> tuple[UUID, ...]:
    in_order = sorted(sorted(found, key=lambda one: one.pk), key=end, reverse=True)
    return tuple(one.pk for one in in_order[:most])


def unreplaced(found: list[Credential], which: Callable[[Credential], bool]) -> list[Credential]:
    replaced = {one.predecessor_id for one in found if is_live(one)}
    return [one for one in found if which(one) and end(one) < SOON and one.pk not in replaced]


def rotations(found: list[Credential]) -> tuple[tuple[UUID, UUID], ...]:
    newest: dict[UUID, Credential] = {}
    for one in sorted(found, key=lambda one: (one.created_at, one.pk)):
        old = one.predecessor if one.ended_at is None else None
        if old is not None and (old.ended_at is None or old.ended_at > REAL_NOW - timedelta(days=1)):
            newest[old.pk] = one
    olds = {one.pk: one for one in found}
    in_order = sorted(newest, key=lambda key: (end(olds[key]), key))
    return tuple((key, newest[key].pk) for key in in_order[:MOST_ROTATIONS])


def test_they_are_those_of_the_rules(project: Project) -> None:
    found = rows(project)
    keys = keys_of(project, now=NOW, real_now=REAL_NOW)
    in_each = [
        soonest((one for one in found if is_live(one) and one.environment == environment), NEXT_IN_EACH)
        for environment in Environment.values
    ]
    assert keys.next == sum(in_each, ())
    assert keys.live == soonest(filter(is_live, found), MOST_BARS + 1)
    room = max(MOST_BARS - len(keys.live), 0)
    assert keys.expired == soonest(filter(is_expired, found), room)
    drawn_from = Frame.around(NOW).begins_at
    assert keys.past == latest((one for one in found if is_expired(one) and end(one) >= drawn_from), room)
    assert keys.ending == soonest(unreplaced(found, is_live), NAMED)
    assert keys.ended == latest(unreplaced(found, is_expired), NAMED)
    assert keys.rotations == rotations(found)
    used = [one for one in found if hasattr(one.certificate, "use")]
    used.sort(key=lambda one: (-one.certificate.use.last_used_at.timestamp(), one.pk))
    assert keys.last_used == (used[0].pk if used else None)


def test_the_counts_are_those_of_the_rules(project: Project) -> None:
    found, counts = rows(project), counts_of(project, now=NOW)
    held = {}
    for environment in Environment.values:
        here = [one for one in found if one.environment == environment and one.ended_at is None]
        if here:
            held[environment] = (sum(map(is_live, here)), sum(map(is_expired, here)))
    assert counts.held == held
    assert (counts.ending, counts.ended) == (len(unreplaced(found, is_live)), len(unreplaced(found, is_expired)))


def test_what_is_asked_alone_is_the_same(project: Project) -> None:
    keys = keys_of(project, now=NOW, real_now=REAL_NOW)
    assert ending_keys(project, now=NOW) == keys.ending
    assert rotation_keys(project, real_now=REAL_NOW) == keys.rotations
    assert {*keys.live, *keys.past, *keys.ending, *sum(keys.rotations, ())} <= keys.all()


def test_they_are_asked_for_in_one_query_each(project: Project) -> None:
    with CaptureQueriesContext(connection) as asked:
        keys_of(project, now=NOW, real_now=REAL_NOW)
    assert len(asked) == 1
    with CaptureQueriesContext(connection) as asked:
        counts_of(project, now=NOW)
    assert len(asked) == 1


def test_an_empty_project_has_none(db: None) -> None:
    project, now = make_project(), timezone.now()
    keys, counts = keys_of(project, now=now, real_now=now), counts_of(project, now=now)
    assert keys.all() == set()
    assert (counts.held, counts.ending, counts.ended) == ({}, 0, 0)


def test_of_two_certificates_used_at_the_same_moment_the_first_is_named(db: None) -> None:
    project, now = make_project(), timezone.now()
    both = make_many_credentials(project, 2)
    for one in both:
        CertificateUse.objects.create(certificate_id=one.certificate_id, first_used_at=now, last_used_at=now)
    assert keys_of(project, now=now, real_now=now).last_used == min(one.pk for one in both)
