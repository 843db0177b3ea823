"""What happens next to a company's certificates, by its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as site_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from connect.expiry.events import Event, Happening, next_events
from connect.models import Company
from kmp import lifetimes
from kmp.models import InventoryEntry
from portal.models import Credential, Project
from portal.projects import delete_project
from portal.revocation import end as end_credential
from tests.connect.factories import move_clock
from tests.factories import make_company, make_many_credentials, make_project, make_user
from tests.kmp.factories import make_entry, make_many_entries, make_officer
from tests.kmp.wizard import make_renewal

NOTICE, EXPIRY, DEADLINE = Happening.NOTICE, Happening.EXPIRY, Happening.DEADLINE
# A date of its own: nothing here depends on today's.
NOON = datetime(2031, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def project(acme: Company) -> Project:
    return make_project(admin=make_user(company=acme), now=NOON)


def ends(project: Project, *moments: datetime) -> list[Credential]:
    """A live credential for each of these ends."""
    return [make_many_credentials(project, 1, not_after=moment)[0] for moment in moments]


def told(events: list[Event]) -> list[tuple[Happening, int, str]]:
    return [(event.what, event.days, f"{event.at:%Y-%m-%d %H:%M}") for event in events]


def test_the_life_of_one_certificate(acme: Company, project: Project) -> None:
    ends(project, datetime(2031, 6, 1, 9, 30, tzinfo=UTC))
    assert told(next_events(acme, now=NOON)) == [
        (NOTICE, 90, "2031-03-03 00:00"),
        (NOTICE, 60, "2031-04-02 00:00"),
        (NOTICE, 30, "2031-05-02 00:00"),
        (NOTICE, 14, "2031-05-18 00:00"),
        (NOTICE, 7, "2031-05-25 00:00"),
        (NOTICE, 3, "2031-05-29 00:00"),
        (NOTICE, 1, "2031-05-31 00:00"),
        (NOTICE, 0, "2031-06-01 00:00"),
        (EXPIRY, 0, "2031-06-01 09:30"),
        (NOTICE, -7, "2031-06-08 00:00"),
    ]


def test_going_from_event_to_event_meets_each_once(acme: Company, project: Project) -> None:
    """To the very moment of each, at which it counts as over."""
    ends(project, datetime(2032, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2031, 12, 31, tzinfo=UTC))
    now, seen = NOON, []
    while events := next_events(acme, now=now):
        assert events[0].moment > now
        seen += [event for event in events if event.moment == events[0].moment]
        now = events[0].moment
    assert len(seen) == 2 * (len(site_settings.NOTICE_THRESHOLD_DAYS) + 1)
    assert len({(event.what, event.days, event.lifetime) for event in seen}) == len(seen)


def test_at_the_moment_of_a_threshold_it_is_over_and_just_before_it_is_not(acme: Company, project: Project) -> None:
    ends(project, datetime(2031, 6, 1, tzinfo=UTC))
    midnight = datetime(2031, 3, 3, tzinfo=UTC)
    assert next_events(acme, now=midnight)[0].days == 60
    assert next_events(acme, now=midnight - timedelta(microseconds=1))[0].days == 90


def test_an_end_is_over_one_second_later(acme: Company, project: Project) -> None:
    """RFC 5280, 4.1.2.5: a certificate is valid through its last second."""
    end = datetime(2031, 3, 1, 13, tzinfo=UTC)
    ends(project, end)
    for now in (NOON, end, end + timedelta(milliseconds=999)):
        first = next_events(acme, now=now)[0]
        assert (first.what, first.at, first.moment) == (EXPIRY, end, end + timedelta(seconds=1))
    assert next_events(acme, now=end + timedelta(seconds=1))[0].what is NOTICE


def test_the_soonest_of_many_are_shown_whatever_kind_they_are(acme: Company, project: Project) -> None:
    """Compared with all events of all certificates, reckoned one by one."""
    moments = [NOON + timedelta(days=7 * number - 20, hours=number) for number in range(40)]
    ends(project, *moments)
    every: list[tuple[datetime, str]] = []
    for end in moments:
        every.append((end, "expiry"))
        midnight = end.replace(hour=0, minute=0)
        every += [(midnight - timedelta(days=days), "notice") for days in site_settings.NOTICE_THRESHOLD_DAYS]
    expected = sorted(one for one in every if one[0] > NOON)[:25]
    found = next_events(acme, now=NOON, limit=25)
    assert sorted((event.at, str(event.what)) for event in found)[:20] == expected[:20]
    assert [event.at for event in found] == [at for at, _ in expected]


def test_it_is_the_company_s_own_now_that_counts(acme: Company, project: Project) -> None:
    ends(project, datetime(2031, 6, 1, 9, 30, tzinfo=UTC))
    move_clock(acme, timedelta(days=80))
    assert next_events(acme, now=NOON)[0].days == 7
    assert next_events(Company.objects.get(pk=acme.pk), now=NOON)[0].days == 7


def test_thresholds_are_a_setting(acme: Company, project: Project, settings: Settings) -> None:
    settings.NOTICE_THRESHOLD_DAYS = (5,)
    ends(project, datetime(2031, 6, 1, 9, 30, tzinfo=UTC))
    assert told(next_events(acme, now=NOON)) == [(NOTICE, 5, "2031-05-27 00:00"), (EXPIRY, 0, "2031-06-01 09:30")]


def test_what_has_ended_or_belongs_to_others_is_not_among_them(
    acme: Company, project: Project, authorities: dict[str, Authority]
) -> None:
    gone = make_project(admin=make_user(company=acme), now=NOON)
    end = timezone.now() + timedelta(days=50)
    ends(gone, end)
    delete_project(gone, actor=Actor("test"), now=timezone.now())
    ends(make_project(now=NOON), end)
    make_entry()
    (revoked,) = ends(project, end)
    end_credential(revoked, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    assert next_events(acme, now=timezone.now()) == []


class TestKmp:
    @pytest.fixture
    def entry(self, acme: Company, authorities: dict[str, Authority]) -> InventoryEntry:
        return make_entry(acme)

    def test_its_certificates_are_among_them(self, acme: Company, project: Project, entry: InventoryEntry) -> None:
        (credential,) = ends(project, entry.expires_at + timedelta(days=1))
        found = next_events(acme, now=timezone.now())
        assert [event.lifetime.name for event in found[:4] if event.lifetime] == [
            entry.reference,
            credential.alias,
            entry.reference,
            credential.alias,
        ]
        assert [event.scope for event in found[:2]] == [str(acme.pk), str(project.pk)]

    def test_a_renewal_that_is_not_signed_has_until_the_end(self, acme: Company, entry: InventoryEntry) -> None:
        request = make_renewal(make_officer(acme), entry)
        found = next_events(acme, now=timezone.now(), limit=20)
        (deadline,) = [event for event in found if event.what is DEADLINE]
        (end,) = [event for event in found if event.what is EXPIRY]
        assert deadline.at == entry.expires_at
        assert deadline.moment == end.moment, "one press passes both"
        assert deadline.deadline is not None
        assert request.number in deadline.deadline.title
        assert deadline.scope == str(acme.pk)
        later = next_events(acme, now=deadline.moment)
        assert [(event.what, event.days) for event in later] == [(NOTICE, -7)]

    def test_those_that_were_missed_keep_none_from_being_shown(
        self, acme: Company, entry: InventoryEntry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lifetimes, "_DEADLINES", 1)
        officer, missed, now = make_officer(acme), make_entry(acme), timezone.now()
        make_renewal(officer, missed)
        InventoryEntry.objects.filter(pk=missed.pk).update(expires_at=now - timedelta(days=5))
        request = make_renewal(officer, entry)
        found = [event.deadline for event in next_events(acme, now=now, limit=20) if event.what is DEADLINE]
        assert [request.number in deadline.title for deadline in found if deadline is not None] == [True]


@pytest.mark.parametrize("count", [2, 200])
def test_the_number_of_queries_and_of_rows_is_the_same_whatever_there_is(
    acme: Company, project: Project, authorities: dict[str, Authority], count: int
) -> None:
    make_many_credentials(project, count)
    make_many_entries(acme, count)
    other = make_company()
    make_many_entries(other, 3)
    with CaptureQueriesContext(connection) as asked:
        found = next_events(acme, now=timezone.now())
    assert len(found) == 10
    lists = [query["sql"] for query in asked.captured_queries if "ORDER BY" in query["sql"]]
    assert all("LIMIT 10" in sql or "LIMIT 100" in sql or " IN (" in sql or " = ANY(" in sql for sql in lists)
    # For each portal one query for each threshold, one for ends, and what the rows that are shown need.
    assert len(asked) <= 2 * (len(site_settings.NOTICE_THRESHOLD_DAYS) + 1) + 8
