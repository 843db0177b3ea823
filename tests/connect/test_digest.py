"""The weekly digest: who gets it, when, with what in it, and how often: once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, Certificate, CertificateUse
from connect import tasks
from connect.expiry import digest, digest_run
from connect.models import Channel, Company, Notice, NoticePreference, NoticeState, User
from connect.preferences import choose_digest, next_digest_at
from kmp.models import InventoryEntry
from portal.models import Credential, Project
from tests.connect.digests import ending, wants_digest
from tests.connect.factories import move_clock
from tests.connect.lifetimes import day
from tests.factories import (
    let_expire,
    make_company,
    make_credential,
    make_many_credentials,
    make_member,
    make_project,
    make_user,
)
from tests.kmp.factories import make_entry, make_officer

MONDAY = day("2027-02-01T06:00")


@pytest.fixture
def alice(db: None) -> User:
    return make_user(email="alice@acme.example", name="Alice Marlow", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


def mail_text() -> str:
    return Notice.objects.get(kind=digest.KIND).text


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2027-01-31T23:00", MONDAY),
        ("2027-02-01T05:59", MONDAY),
        ("2027-02-01T06:00", MONDAY + timedelta(days=7)),
        ("2027-02-01T06:01", MONDAY + timedelta(days=7)),
        ("2028-02-29T12:00", day("2028-03-06T06:00")),
        ("2027-12-31T12:00", day("2028-01-03T06:00")),
        ("2027-03-27T12:00", day("2027-03-29T06:00")),
    ],
    ids=["sunday", "too-early", "at-six", "after-six", "leap-day", "end-of-the-year", "clocks-go-forward"],
)
def test_it_is_due_on_mondays_at_six_in_utc(moment: str, expected: datetime) -> None:
    assert next_digest_at(day(moment)) == expected


def test_everything_that_ends_in_90_days_is_in_it(
    authorities: dict[str, Authority], alice: User, project: Project
) -> None:
    for days in (5, 90, 91, -7, -8):
        ending(project, days, f"in-{days}")
    wants_digest(alice)
    assert digest_run.send_due(now=timezone.now()) == 1
    row = Notice.objects.get(kind=digest.KIND)
    assert (row.channel, row.address, row.recipient, row.state) == (Channel.MAIL, alice.email, alice, NoticeState.DUE)
    assert row.subject == "Weekly digest: in--7 (Sandbox) expired 7 days ago, and 2 more"
    told = [line.split(" (")[0] for line in row.text.splitlines() if " (Sandbox) " in line]
    assert told == ["in--7", "in-5", "in-90"]
    assert "Nothing replaces it yet." in row.text
    assert "Checkout API" in row.text
    assert "in-91" not in row.html
    assert "in-90" in row.html
    assert row.text.count("?rotate=") == 3


@pytest.mark.parametrize(
    ("ends", "subject"),
    [
        ([5], "Weekly digest: a-5 (Sandbox) expires in 5 days"),
        ([1], "Weekly digest: a-1 (Sandbox) expires in 1 day"),
        ([40, 0, 60], "Weekly digest: a-0 (Sandbox) expired today, and 2 more"),
    ],
    ids=["one", "tomorrow", "three"],
)
def test_the_subject_names_the_first(
    authorities: dict[str, Authority], alice: User, project: Project, ends: list[int], subject: str
) -> None:
    for days in ends:
        ending(project, days, f"a-{days}")
    wants_digest(alice)
    digest_run.send_due(now=timezone.now())
    assert Notice.objects.get(kind=digest.KIND).subject == subject


def test_both_portals_are_in_it_and_only_what_the_person_may_see(authorities: dict[str, Authority], db: None) -> None:
    olga = make_officer(email="olga@acme.example")
    assert olga.company is not None
    own = make_project(admin=olga)
    ending(own, 10, "of-her-project")
    ending(make_project(admin=make_user(company=olga.company)), 10, "of-a-colleague")
    entry, foreign = make_entry(olga.company), make_entry(make_company())
    ends_at = timezone.now() + timedelta(days=20)
    InventoryEntry.objects.update(expires_at=ends_at)
    type(entry.certificate).objects.filter(inventory_entry__isnull=False).update(not_after=ends_at)
    wants_digest(olga)
    digest_run.send_due(now=timezone.now())
    text = mail_text()
    assert "of-her-project" in text
    assert f"Renew {entry.reference}" in text
    assert foreign.reference not in text
    assert "of-a-colleague" not in text


def test_it_says_where_a_successor_has_expired_and_what_ended_earlier_today(
    authorities: dict[str, Authority], alice: User, project: Project
) -> None:
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    over = make_credential(project, alias="over-today")
    Certificate.objects.filter(pk=over.certificate_id).update(not_after=midnight)
    later = make_credential(project, alias="later-today")
    last_moment = midnight + timedelta(days=1) - timedelta(microseconds=1)
    Certificate.objects.filter(pk=later.certificate_id).update(not_after=last_moment)
    old = ending(project, 10, "old")
    let_expire(make_credential(project, alias="new", predecessor=old), in_days=-3)
    at = timezone.now() + timedelta(minutes=1)
    CertificateUse.objects.create(certificate_id=old.certificate_id, first_used_at=at, last_used_at=at)
    wants_digest(alice)
    digest_run.send_due(now=timezone.now())
    row = Notice.objects.get(kind=digest.KIND)
    assert "over-today (Sandbox) expired today" in row.text
    assert "later-today (Sandbox) expires today" in row.text
    for text in (row.text, row.html):
        assert "Its successor new has expired: nothing can take over." in text
        assert "new is live" not in text


def test_silent_ones_are_left_out_and_snoozed_ones_stand_at_the_end(
    authorities: dict[str, Authority], alice: User, project: Project
) -> None:
    old = ending(project, 10, "old")
    make_credential(project, alias="new", predecessor=old)
    snoozed = ending(project, 12, "quiet")
    until = timezone.now().date() + timedelta(days=4)
    Credential.objects.filter(pk=snoozed.pk).update(snoozed_until=until)
    wants_digest(alice)
    digest_run.send_due(now=timezone.now())
    row = Notice.objects.get(kind=digest.KIND)
    assert row.subject == "Weekly digest: nothing expires in the next 90 days"
    assert "old (Sandbox)" not in row.text
    assert f"quiet (Sandbox), until {until.day} {until:%B %Y}, expires in 12 days" in row.text
    assert row.state == NoticeState.DUE


def test_where_nothing_is_due_no_mail_goes_out_and_a_row_says_so(alice: User, project: Project) -> None:
    wants_digest(alice)
    assert digest_run.send_due(now=timezone.now()) == 0
    row = Notice.objects.get(kind=digest.KIND)
    assert (row.state, row.reason) == (NoticeState.SKIPPED, digest_run.NOTHING_DUE)


def test_who_did_not_ask_or_may_not_sign_in_gets_none(
    authorities: dict[str, Authority], alice: User, project: Project
) -> None:
    ending(project, 10, "soon")
    gone = make_member(project, email="gone@acme.example")
    wants_digest(gone)
    gone.is_active = False
    gone.save()
    wants_digest(alice)
    choose_digest(alice, weekly=False, actor=Actor(alice.email), now=timezone.now())
    assert digest_run.send_due(now=timezone.now()) == 0
    assert not Notice.objects.filter(kind=digest.KIND).exists()


def test_it_comes_once_a_week(authorities: dict[str, Authority], alice: User, project: Project) -> None:
    ending(project, 60, "soon")
    now = timezone.now()
    wants_digest(alice)
    for hour in range(0, 14 * 24 + 1, 6):
        digest_run.send_due(now=now + timedelta(hours=hour))
    weeks = Notice.objects.filter(kind=digest.KIND).count()
    assert weeks in (3, 2), "now, and each Monday"
    mondays = {row.created_at.isocalendar()[:2] for row in Notice.objects.filter(kind=digest.KIND)}
    assert len(mondays) == weeks


def test_a_jump_over_four_mondays_sends_one_and_starting_over_waits_for_the_real_monday(
    authorities: dict[str, Authority], alice: User, project: Project
) -> None:
    company = project.company
    ending(project, 80, "soon")
    real_monday = wants_digest(alice, due_at=next_digest_at(timezone.now())).next_digest_at
    move_clock(company, timedelta(days=30))
    now = timezone.now()
    assert [digest_run.send_due(now=now), digest_run.send_due(now=now)] == [1, 0]
    row = Notice.objects.get(kind=digest.KIND)
    assert row.clock_run == company.clock_run
    assert "expires in 50 days" in row.text
    assert "Your company’s clock is ahead" in row.text
    Company.objects.filter(pk=company.pk).update(clock_ahead=timedelta(0), clock_run=None)
    assert digest_run.send_due(now=now) == 0
    assert NoticePreference.objects.get(user=alice).next_digest_at == real_monday
    assert real_monday is not None
    assert digest_run.send_due(now=real_monday) == 1
    assert "expires in 50 days" not in Notice.objects.get(kind=digest.KIND, clock_run=None).text


def test_another_companys_clock_changes_nothing(
    authorities: dict[str, Authority], alice: User, project: Project
) -> None:
    ending(project, 10, "soon")
    wants_digest(alice, due_at=next_digest_at(timezone.now()))
    move_clock(make_company(), timedelta(days=60))
    assert digest_run.send_due(now=timezone.now()) == 0


def test_names_in_it_stay_text(authorities: dict[str, Authority], alice: User, project: Project) -> None:
    credential = ending(project, 10, "soon")
    bad = "<b>x</b>\r\nBcc: evil@x.example\u2028\u202e"
    Credential.objects.filter(pk=credential.pk).update(alias=bad)
    wants_digest(alice)
    digest_run.send_due(now=timezone.now())
    row = Notice.objects.get(kind=digest.KIND)
    assert "\n" not in row.subject
    assert "\r" not in row.subject + row.text
    assert "\u202e" not in row.subject + row.text + row.html
    assert "<b>x</b>" not in row.html
    assert not any(line.startswith("Bcc:") for line in row.text.splitlines())


def test_the_mail_says_how_it_is_ended_with_one_click(
    authorities: dict[str, Authority], alice: User, project: Project
) -> None:
    ending(project, 10, "soon")
    wants_digest(alice)
    digest_run.send_due(now=timezone.now())
    tasks.deliver_due_notices()
    row = Notice.objects.get(kind=digest.KIND)
    assert row.state == NoticeState.SENT
    assert row.unsubscribe == digest.unsubscribe_path(alice)
    assert row.unsubscribe in row.text
    assert row.unsubscribe in row.html


def test_a_page_of_people_costs_a_number_of_queries_for_each_and_not_for_each_certificate(
    alice: User, project: Project
) -> None:
    def queries(count: int) -> int:
        end = timezone.now() + timedelta(days=10)
        make_many_credentials(project, count, not_after=end)
        NoticePreference.objects.update(next_digest_at=timezone.now())
        Notice.objects.all().delete()
        with CaptureQueriesContext(connection) as found:
            assert digest_run.send_due(now=timezone.now()) == 1
        return len(found)

    wants_digest(alice)
    assert queries(2) == queries(20)


def test_more_than_a_page_of_people_are_all_told(
    authorities: dict[str, Authority], alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest_run, "PAGE", 2)
    ending(project, 10, "soon")
    for user in (alice, *(make_member(project) for _ in range(4))):
        wants_digest(user)
    assert list(digest_run.pages(now=timezone.now())) == [2, 2, 1]
    assert Notice.objects.filter(kind=digest.KIND).values("address").distinct().count() == 5
