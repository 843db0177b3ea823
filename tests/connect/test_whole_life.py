"""The life of a certificate from issue to a week after its end, by moving the company's clock: who hears what, when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, CertificateUse, RevocationReason
from connect import clock_moves
from connect.clock import company_time
from connect.expiry import scan
from connect.expiry.silence import PASSED_OVER
from connect.models import Channel, Company, Notice, NoticeState, User
from kmp import entries
from portal import revocation
from portal.models import Credential, Role
from tests.connect.expiring import Watched, before_end, end_of, watched
from tests.connect.factories import make_security_administrator
from tests.factories import make_company, make_credential, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_officer

DUE, SENT, SKIPPED = NoticeState.DUE, NoticeState.SENT, NoticeState.SKIPPED
Life = tuple[Company, Watched, set[str]]
Make = Callable[[Company, str], Life]


@pytest.fixture
def acme(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Acme Payments Ltd", group_email="certificates@acme.example")


@pytest.fixture
def sam(acme: Company) -> User:
    return make_security_administrator(acme)


def credential_life(company: Company, domain: str) -> Life:
    """A credential, and the addresses of those who hear of its end: the project's admins."""
    alice = make_user(company=company, email=f"alice@{domain}")
    project = make_project(admin=alice)
    make_member(project, Role.ADMIN, email=f"bob@{domain}")
    make_member(project, Role.READ_ONLY, email=f"rita@{domain}")
    return company, make_credential(project, alias="PAYMENTS"), {f"alice@{domain}", f"bob@{domain}"}


def entry_life(company: Company, domain: str) -> Life:
    """An entry of KMP's inventory: its officers and the group mailbox hear of it."""
    make_officer(company, email=f"olga@{domain}")
    return company, make_entry(company), {f"olga@{domain}", company.group_email}


@pytest.fixture(params=[credential_life, entry_life], ids=["portal", "kmp"])
def life(request: pytest.FixtureRequest, acme: Company) -> Life:
    make: Make = request.param
    return make(acme, "acme.example")


def go_to(company: Company, moment: datetime, by: User) -> int:
    """Move the company's clock to a moment, and scan as the page does. How many notices go out."""
    now = timezone.now()
    clock_moves.move(company, to=moment, by=by, actor=Actor(by.email), now=now)
    company.refresh_from_db()
    return scan.scan_company(company, now=now)


def mails(row: Watched) -> list[tuple[int | None, str, str]]:
    """Threshold, address and state of every mail about its end, in the order of thresholds."""
    found = Notice.objects.filter(watched=watched(row), channel=Channel.MAIL, threshold__isnull=False)
    return list(found.order_by("-threshold", "address").values_list("threshold", "address", "state"))


def test_from_issue_to_a_week_after_the_end(life: Life, sam: User) -> None:
    acme, row, people = life
    name = row.alias if isinstance(row, Credential) else row.reference
    said: dict[int, set[str]] = {}
    for days in settings.NOTICE_THRESHOLD_DAYS:
        moment = before_end(row, days=days)
        go_to(acme, moment - timedelta(hours=10, seconds=1), sam)
        assert not Notice.objects.filter(watched=watched(row), threshold=days).exists(), "the day has not begun"
        go_to(acme, moment - timedelta(hours=10), sam)
        assert scan.scan(now=timezone.now()) == 0, "the next scan of all repeats nothing"
        found = Notice.objects.filter(watched=watched(row), threshold=days)
        assert sorted(found.filter(channel=Channel.MAIL).values_list("address", flat=True)) == sorted(people)
        assert set(found.filter(channel=Channel.BELL).values_list("recipient__email", flat=True)) == {
            address for address in people if not address.startswith("certificates@")
        }
        assert set(found.values_list("clock_run", flat=True)) == {acme.clock_run}
        said[days] = set(found.values_list("subject", flat=True))
    assert mails(row) == [(days, address, DUE) for days in settings.NOTICE_THRESHOLD_DAYS for address in sorted(people)]
    for days, words in {90: "in 90 days", 1: "in 1 day,", 0: "today", -7: "expired 7 days ago"}.items():
        (subject,) = said[days]
        assert subject.startswith(name)
        assert words in subject
    assert go_to(acme, before_end(row, days=-300), sam) == 0, "after the last threshold there is silence"
    row.refresh_from_db()
    assert row.next_notice_at is None


def test_a_jump_over_three_thresholds_sends_the_nearest(life: Life, sam: User) -> None:
    acme, row, people = life
    go_to(acme, before_end(row, days=60), sam)
    assert go_to(acme, before_end(row, days=5), sam) > 0
    states = {(days, state) for days, _, state in mails(row)}
    assert states == {(90, SKIPPED), (60, DUE), (30, SKIPPED), (14, SKIPPED), (7, DUE)}
    for notice in Notice.objects.filter(watched=watched(row), state=SKIPPED):
        assert notice.reason == PASSED_OVER
    assert Notice.objects.filter(watched=watched(row), threshold=14).count() == len(people)
    subjects = set(Notice.objects.filter(watched=watched(row), threshold=7).values_list("subject", flat=True))
    assert all("in 5 days" in subject for subject in subjects), "the days that are left, not those of the threshold"


def test_snoozed_then_woken_then_replaced_then_revoked(life: Life, sam: User) -> None:
    acme, row, _ = life
    row.snoozed_until = before_end(row, days=30).date()
    row.save(update_fields=["snoozed_until"])
    assert go_to(acme, before_end(row, days=60), sam) == 0
    assert go_to(acme, before_end(row, days=30), sam) > 0
    _replace(row, acme)
    assert go_to(acme, before_end(row, days=14), sam) == 0
    seen_at = timezone.now() + timedelta(minutes=1)
    CertificateUse.objects.create(certificate_id=row.certificate_id, first_used_at=seen_at, last_used_at=seen_at)
    assert go_to(acme, before_end(row, days=7), sam) > 0, "it is replaced, but still in use"
    _revoke(row)
    for days in (3, 1, 0, -7):
        assert go_to(acme, before_end(row, days=days), sam) == 0
    found = {days: state for days, _, state in mails(row)}
    assert found == {90: SKIPPED, 60: SKIPPED, 30: DUE, 14: SKIPPED, 7: DUE}
    reasons = dict(Notice.objects.filter(watched=watched(row), state=SKIPPED).values_list("threshold", "reason"))
    assert "Snoozed until" in reasons[60]
    assert "has replaced it" in reasons[14]


def test_start_over_and_the_real_ones_come_and_a_second_run_has_its_own(life: Life, sam: User) -> None:
    acme, row, people = life
    runs = []
    for _ in range(2):
        assert go_to(acme, before_end(row, days=90), sam) > 0
        runs.append(acme.clock_run)
        clock_moves.start_over(acme, by=sam, actor=Actor(sam.email), now=timezone.now())
        acme.refresh_from_db()
        assert company_time(acme, timezone.now()) < end_of(row) - timedelta(days=300)
        assert scan.scan_company(acme, now=timezone.now()) == 0
    assert scan.scan(now=before_end(row, days=90)) > 0
    found = Notice.objects.filter(watched=watched(row), channel=Channel.MAIL)
    assert set(found.values_list("clock_run", "address", "state")) == {
        (run, address, state)
        for run, state in ((runs[0], SKIPPED), (runs[1], SKIPPED), (None, DUE))
        for address in people
    }


@pytest.mark.parametrize("make", [credential_life, entry_life], ids=["portal", "kmp"])
def test_another_company_hears_nothing(make: Make, acme: Company, sam: User) -> None:
    globex = make_company(name="Globex Ltd", group_email="certificates@globex.example")
    (_, row, _), (_, other, _) = make(acme, "acme.example"), make(globex, "globex.example")
    assert go_to(acme, before_end(row, days=0), sam) > 0
    assert scan.scan(now=timezone.now()) == 0
    assert not Notice.objects.filter(watched=watched(other)).exists()
    assert scan.scan(now=before_end(other, days=90)) > 0, "in its own time"


def _replace(row: Watched, company: Company) -> None:
    if isinstance(row, Credential):
        make_credential(row.project, alias="PAYMENTS-2", predecessor=row)
    else:
        make_entry(renews=row)


def _revoke(row: Watched) -> None:
    now, actor = timezone.now(), Actor("test")
    if isinstance(row, Credential):
        revocation.end(row, reason=RevocationReason.SUPERSEDED, actor=actor, now=now)
    else:
        entries.revoke(row, reason=RevocationReason.SUPERSEDED, actor=actor, now=now)
