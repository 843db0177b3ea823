"""A company's clock moves forward, by who may, as far as it may, and goes back to real time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from connect.clock import company_time, is_ahead, may_move
from connect.clock_moves import (
    ClockMovedMeanwhile,
    ClockRefused,
    clock_state,
    latest_moment,
    move,
)
from connect.models import ClockJump, Company, User
from portal.models import Role
from tests.connect.clock_steps import moved, over
from tests.connect.factories import make_staff
from tests.factories import make_company, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_officer

DAY = timedelta(days=1)


def test_the_first_move_begins_a_run_and_the_next_goes_on_with_it(acme: Company, sam: User) -> None:
    now = timezone.now()
    first = moved(acme, sam, days=30, now=now)
    acme.refresh_from_db()
    assert (acme.clock_ahead, acme.clock_run) == (timedelta(days=30), first.run)
    assert (first.from_at, first.to_at, first.moved_at, first.moved_by) == (now, now + 30 * DAY, now, sam.email)
    later = now + timedelta(hours=5)
    second = moved(acme, sam, days=1, now=later)
    acme.refresh_from_db()
    assert acme.clock_ahead == timedelta(days=31)
    assert second.run == first.run
    assert second.from_at == later + 30 * DAY, "the clock went on by itself meanwhile"
    assert company_time(acme, later) == second.to_at


def test_a_clock_does_not_run_backward(acme: Company, sam: User) -> None:
    now = timezone.now()
    moved(acme, sam, days=10, now=now)
    for days in (0, -1, -20):
        with pytest.raises(ClockRefused, match="only runs forward"):
            moved(acme, sam, days=days, now=now)
    acme.refresh_from_db()
    assert acme.clock_ahead == 10 * DAY
    assert ClockJump.objects.count() == 1


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2027, 1, 31, 9, tzinfo=UTC), datetime(2032, 1, 31, 9, tzinfo=UTC)),
        (datetime(2028, 2, 29, 23, 59, tzinfo=UTC), datetime(2033, 2, 28, 23, 59, tzinfo=UTC)),
        (datetime(2027, 12, 31, tzinfo=UTC), datetime(2032, 12, 31, tzinfo=UTC)),
    ],
    ids=["month of 31 days", "leap day", "last day of the year"],
)
def test_it_runs_at_most_five_years_ahead(acme: Company, sam: User, now: datetime, last: datetime) -> None:
    assert latest_moment(now) == last
    with pytest.raises(ClockRefused, match="at most 5 years ahead of real time"):
        move(acme, to=last + timedelta(seconds=1), by=sam, actor=Actor(sam.email), now=now)
    assert move(acme, to=last, by=sam, actor=Actor(sam.email), now=now).to_at == last


def test_how_far_is_a_setting(acme: Company, sam: User, settings: Settings) -> None:
    settings.CLOCK_MOST_YEARS_AHEAD = 1
    with pytest.raises(ClockRefused, match="at most 1 years"):
        moved(acme, sam, days=367)
    moved(acme, sam, days=365)


class TestWhoMayMoveIt:
    def people(self, company: Company, authorities: dict[str, Authority]) -> dict[str, User]:
        """One of each kind, seen from the company."""
        project = make_project(admin=make_user(company=company))
        return {
            "project admin": project.memberships.get(role=Role.ADMIN).user,
            "Security Administrator": make_user(company=company, is_security_administrator=True),
            "staff": make_staff(),
            "reader": make_member(project, Role.READ_ONLY),
            "security officer": make_officer(company),
            "colleague": make_user(company=company),
            "admin elsewhere": make_project().memberships.get().user,
            "Security Administrator elsewhere": make_user(is_security_administrator=True),
            "nobody's": make_user(company=None),
        }

    def test_admins_of_projects_security_administrators_and_staff(
        self, acme: Company, authorities: dict[str, Authority]
    ) -> None:
        may, may_not = set(), set()
        for kind, user in self.people(acme, authorities).items():
            if may_move(user, acme):
                moved(acme, user)
                over(acme, user)
                may.add(kind)
                continue
            with pytest.raises(ClockRefused, match="You may not move the clock of Acme Payments Ltd"):
                moved(acme, user)
            may_not.add(kind)
        assert may == {"project admin", "Security Administrator", "staff"}
        assert len(may_not) == 6
        assert not is_ahead(Company.objects.get(pk=acme.pk))

    def test_a_right_that_was_taken_away_is_gone(self, acme: Company, sam: User) -> None:
        User.objects.filter(pk=sam.pk).update(is_security_administrator=False)
        with pytest.raises(ClockRefused, match="may not move the clock of Acme Payments Ltd any more"):
            moved(acme, sam)
        User.objects.filter(pk=sam.pk).update(is_security_administrator=True, is_active=False)
        with pytest.raises(ClockRefused):
            moved(acme, sam)

    def test_who_may_not_move_it_may_not_put_it_back(self, acme: Company, sam: User, dora: User) -> None:
        moved(acme, sam)
        with pytest.raises(ClockRefused):
            over(acme, dora)
        assert is_ahead(Company.objects.get(pk=acme.pk))


class TestWhatTheFormCarries:
    def test_one_form_moves_the_clock_once(self, acme: Company, sam: User) -> None:
        state = clock_state(acme)
        moved(acme, sam, state=state)
        with pytest.raises(ClockMovedMeanwhile, match="You have moved the clock already"):
            moved(acme, sam, state=state)
        acme.refresh_from_db()
        assert acme.clock_ahead == DAY

    def test_the_second_of_two_people_is_told_who_was_first(self, acme: Company, sam: User, kim: User) -> None:
        state = clock_state(acme)
        moved(acme, kim, state=state)
        with pytest.raises(ClockMovedMeanwhile, match=r"kim@rehearsal\.example moved the clock a moment before you"):
            moved(acme, sam, state=state)

    def test_no_state_comes_back(self, acme: Company, sam: User) -> None:
        seen, now = [clock_state(acme)], timezone.now()
        for number in range(3):
            moved(acme, sam, now=now + timedelta(minutes=number))
            acme.refresh_from_db()
            seen.append(clock_state(acme))
            over(acme, sam, now=now + timedelta(minutes=number))
            acme.refresh_from_db()
            seen.append(clock_state(acme))
        assert len(set(seen)) == len(seen) == 7
        for state in seen[:-1]:
            with pytest.raises(ClockMovedMeanwhile):
                moved(acme, sam, state=state)

    def test_a_jump_from_a_page_that_is_older_than_the_end_of_the_run(self, acme: Company, sam: User) -> None:
        moved(acme, sam)
        acme.refresh_from_db()
        state = clock_state(acme)
        over(acme, sam)
        with pytest.raises(ClockMovedMeanwhile, match="put back to real time meanwhile"):
            moved(acme, sam, state=state)

    def test_the_end_of_a_run_that_has_moved_on_is_asked_for_again(self, acme: Company, sam: User, kim: User) -> None:
        moved(acme, sam)
        acme.refresh_from_db()
        state = clock_state(acme)
        moved(acme, kim)
        with pytest.raises(ClockMovedMeanwhile):
            over(acme, sam, state=state)


def test_both_moves_are_in_the_audit_log_with_both_times(acme: Company, sam: User) -> None:
    now = timezone.now()
    jump = moved(acme, sam, days=3, now=now)
    event = AuditEvent.objects.get(action="company.clock_moved")
    assert (event.at, event.company_at) == (now, now + 3 * DAY)
    assert (event.actor, event.address, event.company) == (sam.email, "192.0.2.1", str(acme.pk))
    assert event.before == {"company_time": now.isoformat()}
    assert event.after == {"company_time": (now + 3 * DAY).isoformat(), "clock_run": str(jump.run)}
    end = now + timedelta(hours=1)
    over(acme, sam, now=end)
    event = AuditEvent.objects.get(action="company.clock_started_over")
    assert (event.at, event.company_at) == (end, end + 3 * DAY), "it happened while the clock was ahead"
    assert event.before == {"company_time": (end + 3 * DAY).isoformat(), "clock_run": str(jump.run)}
    assert event.after == {"company_time": end.isoformat(), "snoozes_ended": 0}


def test_other_companies_notice_nothing(acme: Company, sam: User, authorities: dict[str, Authority]) -> None:
    globex = make_company(name="Globex Bank")
    entry = make_entry(globex)
    before = (Company.objects.get(pk=globex.pk).clock_ahead, entry.next_notice_at)
    moved(acme, sam, days=700)
    entry.refresh_from_db()
    row = Company.objects.get(pk=globex.pk)
    assert (row.clock_ahead, entry.next_notice_at) == before
    now = timezone.now()
    assert company_time(row, now) == now
    over(acme, sam)
    assert not ClockJump.objects.filter(company=globex).exists()
    assert not AuditEvent.objects.filter(company=str(globex.pk), action__startswith="company.clock").exists()


def test_asking_for_the_time_costs_no_query(acme: Company, sam: User) -> None:
    for company in (acme, Company.objects.get(pk=moved(acme, sam).company_id), None):
        with CaptureQueriesContext(connection) as asked:
            company_time(company, timezone.now())
            is_ahead(company)
        assert len(asked) == 0


def test_a_run_without_being_ahead_cannot_be_stored(acme: Company) -> None:
    acme.clock_run = uuid4()
    with pytest.raises(ValidationError, match="company_clock_whole"):
        acme.validate_constraints()
