"""Scans beside scans, moves of the clock, Start over and revocations: each threshold is told once, in its own run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from connect import clock_moves
from connect.expiry import scan
from connect.models import Channel, Notice, NoticeState
from portal import revocation
from portal.models import Credential, Role
from tests.connect.expiring import before_end, make_due_credentials, states_of, watched
from tests.connect.factories import make_security_administrator
from tests.factories import make_company, make_credential, make_member, make_project, make_user

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROUNDS = 3
DUE, SKIPPED = NoticeState.DUE, NoticeState.SKIPPED
Work = Callable[[], object]


def at_once(*works: Work) -> list[object]:
    """Do all at the same moment, each with a connection of its own. What each returned, or raised, in order."""
    barrier = threading.Barrier(len(works))
    outcomes: dict[int, object] = {}

    def do(number: int, work: Work) -> None:
        try:
            barrier.wait(10)
            outcomes[number] = work()
        except Exception as error:  # noqa: BLE001  the test looks at whatever it was
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == len(works), "each ended"
    return [outcomes[number] for number in sorted(outcomes)]


def test_scans_at_the_same_moment_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PAGE", 2)
    for _ in range(ROUNDS):
        made, now = make_due_credentials(11), timezone.now()
        told = at_once(*[partial(scan.scan, now=now)] * 4)
        written = [count for count in told if isinstance(count, int)]
        assert len(written) == 4, told
        assert sum(written) + scan.scan(now=now) == 22
        assert all(states_of(row) == {30: DUE} for row in made)


def test_the_beats_scan_and_the_clock_pages_scan_at_once(authorities: dict[str, Authority]) -> None:
    sam = make_security_administrator()
    assert sam.company is not None
    row = make_credential(make_project(admin=make_user(company=sam.company)))
    now = timezone.now()
    company = sam.company
    for days in (90, 60, 30):
        clock_moves.move(company, to=before_end(row, days=days), by=sam, actor=Actor(sam.email), now=now)
        told = at_once(
            lambda: scan.scan(now=now), lambda: scan.scan_company(company, now=now), lambda: scan.scan(now=now)
        )
        assert sorted(map(str, told)) == ["0", "0", "2"]
    assert states_of(row) == {90: DUE, 60: DUE, 30: DUE}


def test_a_scan_and_start_over_at_once(authorities: dict[str, Authority]) -> None:
    """Whoever is first: nothing of the run stays due, and in real time everything is still to come."""
    sam = make_security_administrator(make_company())
    assert sam.company is not None
    company = sam.company
    project = make_project(admin=make_user(company=company))
    make_member(project, Role.ADMIN)
    rows = [make_credential(project) for _ in range(3)]
    for _ in range(ROUNDS):
        now = timezone.now()
        clock_moves.move(company, to=before_end(rows[0], days=30), by=sam, actor=Actor(sam.email), now=now)
        company.refresh_from_db()
        run = company.clock_run

        def start_over() -> None:
            clock_moves.start_over(company, by=sam, actor=Actor(sam.email), now=timezone.now())

        told, ended = at_once(partial(scan.scan, now=now), start_over)
        assert ended is None
        assert told in (0, 4 * len(rows))
        company.refresh_from_db()
        assert not Notice.objects.filter(clock_run=run, channel=Channel.MAIL, state=DUE).exists()
        scan.scan(now=timezone.now())
    assert not Notice.objects.filter(clock_run=None, threshold__isnull=False).exists()
    assert scan.scan(now=before_end(rows[0], days=90)) == 4 * len(rows)
    for row in rows:
        real = Notice.objects.filter(watched=watched(row), clock_run=None, channel=Channel.MAIL)
        assert set(real.values_list("threshold", "state")) == {(90, DUE)}


def test_a_scan_and_a_revocation_at_once(authorities: dict[str, Authority]) -> None:
    project = make_project()
    for _ in range(ROUNDS):
        row = make_credential(project)
        now = before_end(row, days=90)

        def revoke(row: Credential = row) -> object:
            return revocation.end(row, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())

        told, revoked = at_once(partial(scan.scan, now=now), revoke)
        assert revoked is True
        assert told in (0, 2)
        assert scan.scan(now=now + timedelta(days=200)) == 0
        assert set(states_of(row)) <= {90}
