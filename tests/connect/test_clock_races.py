"""Two people, or one with two windows, move one clock at the same moment: one wins, and the other is told."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from connect.access import company_of
from connect.clock_moves import ClockMovedMeanwhile, ClockRefused, clock_state, move, start_over
from connect.expiry.jumping import jump
from connect.models import Channel, ClockJump, Company, Notice, User
from tests.connect.expiring import before_end, watched
from tests.connect.factories import make_staff
from tests.connect.test_access_races import ROUNDS, Work, at_once, kinds
from tests.factories import make_company, make_credential, make_project, make_user

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)


def moving(company: Company, by: User, *, days: int = 1, state: str | None = None) -> Work:
    now = timezone.now()
    to = now + company.clock_ahead + days * DAY
    return partial(move, company, to=to, by=by, actor=Actor(by.email), now=now, state=state)


def ending(company: Company, by: User, *, state: str | None = None) -> Work:
    return partial(start_over, company, by=by, actor=Actor(by.email), now=timezone.now(), state=state)


def jumps_of(company: Company) -> int:
    return ClockJump.objects.filter(company=company).count()


def test_one_form_sent_twice_at_once_moves_the_clock_once() -> None:
    for _ in range(ROUNDS):
        sam = make_user(is_security_administrator=True)
        company = company_of(sam)
        state = clock_state(company)
        outcomes = at_once(moving(company, sam, state=state), moving(company, sam, state=state))
        assert kinds(outcomes) == {type(None), ClockMovedMeanwhile}
        assert "was not moved a second time" in " ".join(str(outcome) for outcome in outcomes)
        company.refresh_from_db()
        assert abs(company.clock_ahead - DAY) < timedelta(minutes=1)
        assert jumps_of(company) == 1
        assert AuditEvent.objects.filter(action="company.clock_moved", company=str(company.pk)).count() == 1


def test_of_two_people_one_wins_and_the_other_is_told_who() -> None:
    for _ in range(ROUNDS):
        sam, kim = make_user(is_security_administrator=True), make_staff()
        company = company_of(sam)
        state = clock_state(company)
        outcomes = at_once(moving(company, sam, days=1, state=state), moving(company, kim, days=30, state=state))
        assert kinds(outcomes) == {type(None), ClockMovedMeanwhile}
        winner = sam if outcomes[0] is None else kim
        (told,) = [str(outcome) for outcome in outcomes if outcome is not None]
        assert f"{winner.email} moved the clock a moment before you" in told
        assert ClockJump.objects.get(company=company).moved_by == winner.email


def test_a_jump_and_the_end_of_the_run_at_once() -> None:
    for _ in range(ROUNDS):
        sam, kim = make_user(is_security_administrator=True), make_staff()
        company = company_of(sam)
        moving(company, sam)()
        company.refresh_from_db()
        state = clock_state(company)
        outcomes = at_once(moving(company, sam, days=5, state=state), ending(company, kim, state=state))
        assert kinds(outcomes) == {type(None), ClockMovedMeanwhile}
        company.refresh_from_db()
        assert (company.clock_run is None) == (outcomes[1] is None)
        assert jumps_of(company) == (1 if outcomes[1] is None else 2)


def test_a_run_ends_once() -> None:
    for _ in range(ROUNDS):
        sam, kim = make_user(is_security_administrator=True), make_staff()
        company = company_of(sam)
        moving(company, sam)()
        outcomes = at_once(ending(company, sam), ending(company, kim))
        assert kinds(outcomes) == {type(None), ClockRefused}
        assert AuditEvent.objects.filter(action="company.clock_started_over", company=str(company.pk)).count() == 1


def test_two_companies_do_not_wait_for_each_other() -> None:
    users = [make_user(is_security_administrator=True) for _ in range(2)]
    companies = [company_of(user) for user in users]
    outcomes = at_once(*(moving(company, user) for company, user in zip(companies, users, strict=True)))
    assert outcomes == [None, None]
    assert len({Company.objects.get(pk=company.pk).clock_run for company in companies}) == 2


def test_two_jumps_at_once_judge_each_threshold_once(authorities: dict[str, Authority]) -> None:
    """Both go to the same moment; who comes second finds the clock there already, and the notices are one each."""
    company = make_company()
    alice = make_user(company=company)
    credential = make_credential(make_project(admin=alice))
    to, now = before_end(credential, days=30), timezone.now()

    def jumping() -> object:
        return jump(company, to=to, by=alice, actor=Actor(alice.email), now=now)

    assert kinds(at_once(jumping, jumping)) == {type(None), ClockRefused}
    mails = Notice.objects.filter(watched=watched(credential), channel=Channel.MAIL)
    assert list(mails.order_by("threshold").values_list("threshold", flat=True)) == [30, 60, 90]
    assert jumps_of(company) == 1
