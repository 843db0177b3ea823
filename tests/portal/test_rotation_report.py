"""The rotation report: every figure from the calls of two certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certauthority.models import Authority, CertificateUse, ReasonCode
from portal.credentials import row, with_certificates
from portal.models import Credential, Project
from portal.rotation import Pair, pair_of
from portal.rotation_report import ChangeKind, Report, report_of
from portal.rotation_verdict import VerdictCode
from tests.factories import make_credential
from tests.portal.rotation_calls import BATCH, OFFICE, called, called_hourly, end

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
DAY_IN_MINUTES = 24 * 60


@pytest.fixture
def old(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="old-one", now=NOON - timedelta(days=30))


@pytest.fixture
def new(old: Credential, project: Project) -> Credential:
    return make_credential(project, alias="new-one", predecessor=old, now=NOON - timedelta(days=3))


def pair(old: Credential, new: Credential) -> Pair:
    loaded = {one.pk: one for one in with_certificates(Credential.objects.filter(pk__in=[old.pk, new.pk]))}
    return Pair(row(loaded[old.pk], now=NOON), row(loaded[new.pk], now=NOON))


def report(old: Credential, new: Credential) -> Report:
    return report_of(pair(old, new), now=NOON, company_now=NOON)


def test_an_overlap_is_from_the_first_of_the_new_to_the_last_of_the_old(old: Credential, new: Credential) -> None:
    called(old, 3000, 120, now=NOON)
    called(new, 1560, 30, now=NOON)
    change = report(old, new).change
    assert change.kind == ChangeKind.OVERLAP
    assert (change.begins_at, change.ends_at) == (NOON - timedelta(minutes=1560), NOON - timedelta(minutes=120))
    assert change.figure == "1 day"
    assert change.text.startswith("No gap: both were in use for 1 day, from ")
    called(old, 60, now=NOON)
    assert report(old, new).change.figure == "1 day 1 hour"


def test_a_gap_is_from_the_last_of_the_old_to_the_first_of_the_new_with_what_was_refused(
    old: Credential, new: Credential
) -> None:
    called(old, 3000, 600, now=NOON)
    called(new, 180, now=NOON)
    change = report(old, new).change
    assert (change.kind, change.figure, change.refused) == (ChangeKind.GAP, "7 hours", 0)
    assert "no call was refused meanwhile" in change.text
    called(new, 200, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    assert "1 call was refused meanwhile" in report(old, new).change.text
    called(old, 300, 310, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    called(old, 2000, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)  # Long before the gap.
    called(new, 20, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)  # After it.
    change = report(old, new).change
    assert change.refused == 3
    assert "3 calls were refused meanwhile" in change.text


def test_at_one_moment_there_is_an_overlap_of_nothing(old: Credential, new: Credential) -> None:
    for one in (old, new):
        called(one, 90, now=NOON)
    change = report(old, new).change
    assert (change.kind, change.duration) == (ChangeKind.OVERLAP, timedelta())


def test_until_both_have_been_used_there_is_neither(old: Credential, new: Credential) -> None:
    assert report(old, new).change.kind == ChangeKind.NONE
    called(old, 90, now=NOON)
    called(new, 90, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    change = report(old, new).change
    assert (change.kind, change.figure, change.begins_at) == (ChangeKind.NONE, "None yet", None)


def test_totals_are_of_ninety_days(old: Credential, new: Credential) -> None:
    called(old, 30, 40, 89 * DAY_IN_MINUTES, 91 * DAY_IN_MINUTES, now=NOON)
    called(new, 5, now=NOON)
    called(new, 6, 7, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    found = report(old, new)
    assert (found.old_total.accepted, found.old_total.refused) == (3, 0)
    assert (found.new_total.accepted, found.new_total.refused) == (1, 2)


def test_refused_calls_count_since_the_new_one_was_added(old: Credential, new: Credential) -> None:
    called(old, 3 * DAY_IN_MINUTES + 61, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    assert report(old, new).refused_since == 0
    called(old, 30, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    called(new, 30, 31, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    found = report(old, new)
    assert (found.old_since.refused, found.new_since.refused, found.refused_since) == (1, 2, 3)


def test_the_share_of_the_new_one_is_of_the_last_24_hours(old: Credential, new: Credential) -> None:
    assert (report(old, new).day_calls, report(old, new).day_share) == (0, 0)
    called(old, 100, 24 * 60 + 61, now=NOON)
    called(new, *range(1, 200), now=NOON)
    found = report(old, new)
    assert (found.new_day.accepted, found.day_calls, found.day_share) == (199, 200, 99)


def test_sources_are_those_since_the_first_use_of_the_new_one(old: Credential, new: Credential) -> None:
    called(old, 900, address="10.0.0.1", now=NOON)
    called(old, 800, address="10.0.0.2", now=NOON)
    called(old, 400, 300, address=OFFICE, now=NOON)
    called(old, 200, address=BATCH, now=NOON)
    assert {source.address for source in report(old, new).sources} == {"10.0.0.1", "10.0.0.2", OFFICE, BATCH}
    called(new, 500, 100, address="10.0.0.2", now=NOON)
    called(new, 250, address=OFFICE, now=NOON)
    called(new, 90, address=BATCH, reason=ReasonCode.WRONG_ENVIRONMENT, now=NOON)
    found = report(old, new)
    assert [(source.address, source.accepted, source.has_moved) for source in found.sources] == [
        (BATCH, 1, False),
        (OFFICE, 2, True),
    ]
    assert found.sources[0].last_at == NOON - timedelta(minutes=200)
    assert found.sources[0].with_new_at is None
    assert found.not_moved == 1
    assert found.unseen == ("10.0.0.1",)
    called(old, 50, address=OFFICE, now=NOON)
    assert report(old, new).not_moved == 2


def test_the_chart_shows_a_week_once_the_new_one_is_used_for_a_day(old: Credential, new: Credential) -> None:
    called(new, 60, now=NOON)
    assert report(old, new).chart_hours == 48
    called(new, 25 * 60, now=NOON)
    assert report(old, new).chart_hours == 7 * 24


def test_the_chart_of_a_change_that_is_long_over_shows_the_change(old: Credential, new: Credential) -> None:
    day = 24 * 60
    called(new, 9 * day, now=NOON)
    called(old, 6 * day, now=NOON)
    assert report(old, new).chart_until == NOON
    called(new, 40 * day, now=NOON)
    assert report(old, new).chart_until == NOON
    called(old, 30 * day, now=NOON)
    CertificateUse.objects.filter(certificate=old.certificate).update(last_used_at=NOON - timedelta(days=30))
    assert report(old, new).chart_until == NOON - timedelta(days=28)


def test_it_takes_as_many_queries_for_many_calls(old: Credential, new: Credential) -> None:
    both = pair(old, new)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert report_of(both, now=NOON, company_now=NOON).chart_hours
        return len(queries)

    called(old, 60, now=NOON)
    before = asked()
    called_hourly(old, since=200, until=1, now=NOON)
    for number in range(20):
        called(new, number, address=f"10.0.1.{number}", now=NOON)
    assert asked() == before == 5


class TestPairs:
    def test_either_of_both_leads_to_it(self, old: Credential, new: Credential) -> None:
        for one in (old, new):
            found = pair_of(one, now=NOON)
            assert found is not None
            assert (found.old.credential, found.new.credential) == (old, new)

    def test_who_replaces_nothing_and_is_not_replaced_has_none(self, old: Credential) -> None:
        assert pair_of(old, now=NOON) is None

    def test_the_newest_live_successor_counts(self, project: Project, old: Credential, new: Credential) -> None:
        newer = make_credential(project, predecessor=old)
        found = pair_of(old, now=NOON)
        assert found is not None
        assert found.new.credential == newer
        end(newer)
        found = pair_of(old, now=NOON)
        assert found is not None
        assert found.new.credential == new

    def test_one_in_the_middle_stands_for_what_is_under_way(
        self, project: Project, old: Credential, new: Credential
    ) -> None:
        newer = make_credential(project, alias="newer-one", predecessor=new)
        found = pair_of(new, now=NOON)
        assert found is not None
        assert (found.old.credential, found.new.credential) == (new, newer)
        end(newer)
        found = pair_of(new, now=NOON)
        assert found is not None
        assert (found.old.credential, found.new.credential) == (old, new)


def test_a_job_that_runs_daily_is_waited_for(old: Credential, new: Credential) -> None:
    hour = NOON.hour * 60
    nights = [hour + day * DAY_IN_MINUTES - 120 for day in range(1, 6)]  # At two o'clock.
    called(old, *[hour - 120, *nights], now=NOON)
    called(new, 60, now=NOON)
    assert report(old, new).verdict.code == VerdictCode.OLD_MAY_COME_BACK
    only_tries = make_credential(old.project, now=NOON - timedelta(days=30))
    called(only_tries, *[hour - 120, nights[0]], now=NOON)
    assert report(only_tries, new).verdict.code == VerdictCode.SAFE


def test_addresses_of_before_the_change_are_named_and_not_only_the_first(old: Credential, new: Credential) -> None:
    for number in range(1, 8):
        called(old, 600 + number, address=f"10.0.0.{number}", now=NOON)
        if number == 5:
            called(new, 60, address="10.9.9.9", now=NOON)
            assert report(old, new).unseen_in_short == "10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5"
    assert report(old, new).unseen_in_short == "10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5 and 2 more"
