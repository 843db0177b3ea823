"""A jump judges the company's certificates at once, and its page says what it caused."""

from __future__ import annotations

import subprocess
import time
from datetime import datetime, timedelta

import pytest
import redis
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority
from connect.clock import company_time
from connect.clock_moves import ClockRefused, start_over
from connect.expiry import jumping
from connect.expiry.jumping import SHOWN, Step, caused, destination, jump, visible_scopes
from connect.expiry.scan import scan_company
from connect.models import Channel, ClockJump, Company, Notice, NoticeState, User
from portal.models import Credential, Role
from tests.connect.expiring import before_end, end_of, states_of, watched
from tests.factories import make_company, make_credential, make_many_credentials, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_many_entries, make_officer

DUE, SENT, SKIPPED, FAILED = NoticeState.DUE, NoticeState.SENT, NoticeState.SKIPPED, NoticeState.FAILED
WORKER_SECONDS = 60


@pytest.fixture
def alice(acme: Company, authorities: dict[str, Authority]) -> User:
    return make_user(company=acme, email="alice@acme.example", name="Alice Marlow")


@pytest.fixture
def credential(alice: User) -> Credential:
    return make_credential(make_project(admin=alice), alias="payouts")


def jumped(company: Company, by: User, to: datetime, *, now: datetime | None = None) -> ClockJump:
    found = jump(company, to=to, by=by, actor=Actor(by.email), now=now or timezone.now())
    company.refresh_from_db()
    return found


def over(company: Company, by: User) -> None:
    start_over(company, by=by, actor=Actor(by.email), now=timezone.now())
    company.refresh_from_db()


class TestWhereAStepLeads:
    def test_days_and_dates(self, acme: Company, sam: User) -> None:
        now = timezone.now()
        jumped(acme, sam, now + timedelta(days=10), now=now)
        moment = now + timedelta(days=10)
        assert destination(acme, Step.DAY, now=now) == moment + timedelta(days=1)
        assert destination(acme, Step.DAYS, now=now) == moment + timedelta(days=30)
        on = (moment + timedelta(days=100)).date()
        found = destination(acme, Step.DATE, now=now, on=on)
        assert (found.date(), found.time().isoformat(), found.utcoffset()) == (on, "00:00:00", timedelta(0))

    def test_to_the_next_event(self, acme: Company, credential: Credential) -> None:
        first = before_end(credential, days=90).replace(hour=0)
        assert destination(acme, Step.EVENT, now=timezone.now()) == first
        end = end_of(credential)
        assert destination(acme, Step.EVENT, now=end - timedelta(minutes=1)) == end + timedelta(seconds=1)

    def test_where_nothing_is_coming_it_says_so(self, acme: Company) -> None:
        make_company()
        with pytest.raises(ClockRefused, match="Nothing will happen to the certificates of Acme Payments Ltd"):
            destination(acme, Step.EVENT, now=timezone.now())
        with pytest.raises(ClockRefused, match="Choose the date"):
            destination(acme, Step.DATE, now=timezone.now())


def test_a_jump_over_three_thresholds_sends_the_nearest_and_skips_the_others(
    acme: Company, alice: User, credential: Credential
) -> None:
    jumped(acme, alice, before_end(credential, days=29))
    assert states_of(credential) == {90: SKIPPED, 60: SKIPPED, 30: DUE}
    since = caused(acme, now=timezone.now())
    assert since is not None
    assert [(notice.threshold, notice.state, notice.recipients) for notice in since.notices] == [
        (30, DUE, 1),
        (60, SKIPPED, 1),
        (90, SKIPPED, 1),
    ]
    assert "payouts" in since.notices[0].subject
    assert since.notices[1].reason == since.notices[2].reason != ""
    assert (since.on_their_way, since.sent, since.skipped, since.failed) == (1, 0, 2, 0)
    assert (since.expired, since.expired_count) == ([], 0)


def test_what_became_of_the_mails_is_told_anew(acme: Company, alice: User, credential: Credential) -> None:
    make_member(credential.project, Role.ADMIN, email="dora@acme.example")
    jumped(acme, alice, before_end(credential, days=90))
    mails = Notice.objects.filter(channel=Channel.MAIL, watched=watched(credential))
    mails.filter(address="alice@acme.example").update(state=SENT, sent_at=timezone.now())
    mails.filter(address="dora@acme.example").update(state=FAILED)
    since = caused(acme, now=timezone.now())
    assert since is not None
    assert (since.on_their_way, since.sent, since.failed) == (0, 1, 1)
    assert [(notice.state, notice.recipients) for notice in since.notices] == [(FAILED, 1), (SENT, 1)]
    assert since.notice_count == 2


def test_what_has_expired_on_the_way_is_told(acme: Company, alice: User, credential: Credential) -> None:
    entry = make_entry(acme)
    expired_before = make_many_credentials(credential.project, 1, not_after=timezone.now() - timedelta(days=1))
    foreign = make_credential(make_project())
    jumped(acme, alice, max(end_of(credential), end_of(entry)) + timedelta(seconds=1))
    since = caused(acme, now=timezone.now())
    assert since is not None
    assert {lifetime.name for lifetime in since.expired} == {"payouts", entry.reference}
    assert since.expired_count == 2
    assert len(expired_before) == 1
    assert states_of(foreign) == {}


def test_only_the_last_jump_is_told_of(acme: Company, alice: User, credential: Credential) -> None:
    jumped(acme, alice, before_end(credential, days=60))
    last = jumped(acme, alice, before_end(credential, days=30))
    since = caused(acme, now=timezone.now())
    assert since is not None
    assert since.jump == last
    assert [notice.threshold for notice in since.notices] == [30]


def test_in_real_time_nothing_was_caused(acme: Company, alice: User, credential: Credential) -> None:
    assert caused(acme, now=timezone.now()) is None
    jumped(acme, alice, before_end(credential, days=60))
    over(acme, alice)
    assert caused(acme, now=timezone.now()) is None


def test_each_run_has_its_own_notices_and_the_real_ones_still_come(
    acme: Company, alice: User, credential: Credential
) -> None:
    moment = before_end(credential, days=30)
    runs = []
    for _ in range(2):
        runs.append(jumped(acme, alice, moment).run)
        over(acme, alice)
    found = Notice.objects.filter(watched=watched(credential), threshold=30, channel=Channel.MAIL)
    assert set(found.values_list("clock_run", "state")) == {(run, SKIPPED) for run in runs}
    assert len(set(runs)) == 2
    assert scan_company(acme, now=moment) > 0
    assert found.get(clock_run=None).state == DUE


def test_other_companies_are_not_judged(acme: Company, alice: User, credential: Credential) -> None:
    globex = make_company(name="Globex Bank")
    officer = make_officer(globex)
    entry = make_entry(globex)
    make_officer(acme)
    make_entry(acme)
    due_before = entry.next_notice_at
    jumped(acme, alice, end_of(credential) + timedelta(days=8))
    entry.refresh_from_db()
    assert entry.next_notice_at == due_before
    assert Notice.objects.filter(company=acme, threshold__isnull=False).exists()
    assert not Notice.objects.filter(company=globex, threshold__isnull=False).exists()
    assert not Notice.objects.filter(recipient=officer, threshold__isnull=False).exists()


def test_the_move_is_kept_where_judging_fails(
    acme: Company, alice: User, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object, **named: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(jumping, "company_pages", crash)
        with pytest.raises(OSError, match="no space left"):
            jumped(acme, alice, before_end(credential, days=60))
    acme.refresh_from_db()
    assert company_time(acme, timezone.now()).date() == before_end(credential, days=60).date()
    assert states_of(credential) == {}


def test_what_takes_longer_than_a_person_waits_is_left_to_a_worker(
    acme: Company,
    alice: User,
    credential: Credential,
    monkeypatch: pytest.MonkeyPatch,
    redis_client: redis.Redis,
) -> None:
    monkeypatch.setattr(jumping, "_JUDGING_SECONDS", 0.0)
    jumped(acme, alice, before_end(credential, days=60))
    assert any("scan_company_expiries" in str(message) for message in redis_client.lrange("celery", 0, -1))


def test_who_may_see_which_names(acme: Company, alice: User, credential: Credential, sam: User, kim: User) -> None:
    project, kmp = str(credential.project_id), str(acme.pk)
    assert set(visible_scopes(alice)) == {project}
    assert set(visible_scopes(make_member(credential.project))) == {project}
    assert set(visible_scopes(make_officer(acme))) == {kmp}
    assert set(visible_scopes(sam)) == set()
    assert set(visible_scopes(kim)) == set()


@pytest.mark.parametrize("count", [2, SHOWN + 5])
def test_long_lists_are_cut_and_counted_in_the_same_number_of_queries(
    acme: Company, alice: User, credential: Credential, count: int
) -> None:
    end = timezone.now() + timedelta(days=20)
    rows = make_many_credentials(credential.project, count, not_after=end)
    Credential.objects.filter(pk__in=[row.pk for row in rows]).update(next_notice_at=timezone.now())
    make_many_entries(make_company(), 10)
    jumped(acme, alice, end + timedelta(seconds=1))
    with CaptureQueriesContext(connection) as asked:
        since = caused(acme, now=timezone.now())
    assert since is not None
    assert since.expired_count == count
    assert len(since.expired) == min(count, SHOWN)
    assert len(since.notices) == min(since.notice_count, SHOWN)
    assert since.notice_count >= count
    assert len(asked) == 13


@pytest.mark.django_db(transaction=True)
def test_after_start_over_a_worker_judges_at_real_time_at_once(
    celery_worker_process: subprocess.Popen[bytes], acme: Company, alice: User
) -> None:
    """A certificate that has 13 days left: the run sent its notices, and the real one comes all the same."""
    project = make_project(admin=alice)
    (row,) = make_many_credentials(project, 1, not_after=timezone.now() + timedelta(days=13))
    Credential.objects.filter(pk=row.pk).update(
        next_notice_at=timezone.now() - timedelta(days=100), created_at=timezone.now() - timedelta(days=100)
    )
    run = jumped(acme, alice, timezone.now() + timedelta(days=8)).run
    over(acme, alice)
    found = Notice.objects.filter(watched=watched(row), channel=Channel.MAIL)
    last_moment = time.monotonic() + WORKER_SECONDS
    while not found.filter(clock_run=None, state=SENT).exists() and time.monotonic() < last_moment:
        time.sleep(0.1)
    assert set(found.filter(clock_run=None, state=SENT).values_list("threshold", flat=True)) == {14}
    assert set(found.filter(clock_run=run).exclude(state=SKIPPED).values_list("threshold", flat=True)) <= {7}


def test_a_mail_sent_while_the_page_reads_leaves_no_row_on_its_way_for_ever(
    acme: Company, alice: User, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumped(acme, alice, before_end(credential, days=7))
    by_threshold, by_state = jumping._by_threshold, jumping._by_state
    looks = []

    def sent_between(mails: QuerySet[Notice]) -> None:
        """The worker sends what is due after the first of both looks."""
        looks.append(mails)
        if len(looks) == 2:
            mails.filter(state=NoticeState.DUE).update(state=NoticeState.SENT, sent_at=timezone.now())

    def rows(mails: QuerySet[Notice]) -> object:
        sent_between(mails)
        return by_threshold(mails)

    def states(mails: QuerySet[Notice]) -> object:
        sent_between(mails)
        return by_state(mails)

    monkeypatch.setattr(jumping, "_by_threshold", rows)
    monkeypatch.setattr(jumping, "_by_state", states)
    since = caused(acme, now=timezone.now())
    assert since is not None
    waiting = [notice for notice in since.notices if notice.state == NoticeState.DUE]
    assert not waiting or since.on_their_way
    assert since.on_their_way == 1
