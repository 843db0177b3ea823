"""The scan and companies' clocks: each company at its own time, each clock run with its own notices."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from certauthority.models import Authority
from connect.expiry import scan
from connect.expiry.sources import sources
from connect.models import Company, Notice, NoticeState
from kmp.models import InventoryEntry
from portal.models import Credential, Role
from tests.connect.expiring import Watched, before_end, mails_of, make_due_credentials, states_of, watched
from tests.connect.factories import move_clock
from tests.factories import make_company, make_credential, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_officer

DUE, SKIPPED = NoticeState.DUE, NoticeState.SKIPPED


@pytest.fixture
def acme(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Acme Payments Ltd")


@pytest.fixture
def globex(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Globex Ltd")


def credential_of(company: Company) -> Credential:
    return make_credential(make_project(admin=make_user(company=company)))


def entry_of(company: Company) -> InventoryEntry:
    make_officer(company)
    return make_entry(company)


def move_to(company: Company, moment: datetime, *, now: datetime) -> None:
    """The company's clock shows this moment at the real moment ``now``."""
    move_clock(company, moment - now - company.clock_ahead)


def put_back(company: Company) -> None:
    """Real time again, as ``Start over`` does it."""
    company.clock_ahead, company.clock_run = timedelta(0), None
    company.save()
    with transaction.atomic():
        for source in sources():
            source.begin_again(company)


@pytest.mark.parametrize("by_itself", [True, False], ids=["one company", "all companies"])
def test_each_company_is_judged_at_its_own_time(acme: Company, globex: Company, by_itself: bool) -> None:
    rows: list[Watched] = [credential_of(acme), entry_of(acme)]
    others: list[Watched] = [credential_of(globex), entry_of(globex)]
    now = timezone.now()
    move_to(acme, before_end(rows[0], days=30), now=now)
    told = scan.scan_company(acme, now=now) if by_itself else scan.scan(now=now)
    assert told == 4
    for row in rows:
        assert states_of(row) == {90: SKIPPED, 60: SKIPPED, 30: DUE}
    for row in others:
        assert states_of(row) == {}
    notice = Notice.objects.filter(watched=watched(rows[0]), threshold=30)[0]
    assert (notice.clock_run, notice.created_at) == (acme.clock_run, now)
    assert notice.company_at == before_end(rows[0], days=30)
    assert "30 days" in notice.subject


def test_companies_with_the_same_and_with_other_offsets(acme: Company, globex: Company) -> None:
    initech, umbrella = make_company(), make_company()
    rows = {company: credential_of(company) for company in (acme, globex, initech, umbrella)}
    ahead = before_end(rows[acme], days=14) - timezone.now()
    for company, by in ((acme, ahead), (globex, ahead), (initech, ahead + timedelta(days=11))):
        move_clock(company, by)
    assert scan.scan(now=timezone.now()) == 6
    found = {company: [days for days, state in states_of(row).items() if state == DUE] for company, row in rows.items()}
    assert found == {acme: [14], globex: [14], initech: [3], umbrella: []}


def test_scanning_one_company_leaves_the_others_to_the_scan_of_all(acme: Company, globex: Company) -> None:
    mine, other = credential_of(acme), credential_of(globex)
    now = before_end(other, days=7)
    assert scan.scan_company(acme, now=now) == 2
    assert states_of(other) == {}
    assert scan.scan(now=now) == 2
    assert states_of(mine) == states_of(other)


def test_an_old_object_does_not_mislead_the_scan(acme: Company) -> None:
    row = credential_of(acme)
    old = Company.objects.get(pk=acme.pk)
    move_to(acme, before_end(row, days=90), now=timezone.now())
    assert scan.scan_company(old, now=timezone.now()) == 2


def test_what_was_sent_in_a_run_keeps_no_real_notice_from_coming(acme: Company) -> None:
    row = credential_of(acme)
    now = timezone.now()
    for days in (90, 60):
        move_to(acme, before_end(row, days=days), now=now)
        assert scan.scan_company(acme, now=now) == 2
    first_run = acme.clock_run
    put_back(acme)
    assert scan.scan_company(acme, now=now) == 0, "in real time nothing is due yet"
    for days in (90, 60):
        assert scan.scan(now=before_end(row, days=days)) == 2
    runs = Notice.objects.filter(watched=watched(row), channel="mail").values_list("threshold", "clock_run")
    assert set(runs) == {(days, run) for days in (90, 60) for run in (first_run, None)}


def test_a_second_run_has_notices_of_its_own(acme: Company) -> None:
    row, now = credential_of(acme), timezone.now()
    runs = []
    for _ in range(2):
        move_to(acme, before_end(row, days=90), now=now)
        assert scan.scan_company(acme, now=now) == 2
        runs.append(acme.clock_run)
        put_back(acme)
        assert scan.scan(now=now) == 0
    found = Notice.objects.filter(watched=watched(row), channel="mail").values_list("clock_run", flat=True)
    assert set(found) == set(runs)
    assert len(set(runs)) == 2


def test_after_a_run_nobody_is_told_again_what_was_told_in_real_time(acme: Company) -> None:
    row = credential_of(acme)
    real = before_end(row, days=60)
    assert scan.scan(now=real) == 2
    told = mails_of(row)
    make_member(row.project, Role.ADMIN, email="late@acme.example")
    move_clock(acme, timedelta(days=30))
    assert scan.scan(now=real) == 4
    put_back(acme)
    assert scan.scan(now=real) == 0
    in_real_time = Notice.objects.filter(watched=watched(row), clock_run=None, channel="mail")
    assert {(one.threshold, one.address) for one in in_real_time} == set(told)
    assert scan.scan(now=before_end(row, days=30)) == 4


def test_a_run_right_after_another_repeats_nothing_that_was_told_in_real_time(acme: Company) -> None:
    row = credential_of(acme)
    now = before_end(row, days=28)
    scan.scan(now=before_end(row, days=30))
    told = Notice.objects.filter(watched=watched(row)).count()
    move_to(acme, before_end(row, days=20), now=now)
    put_back(acme)
    move_to(acme, before_end(row, days=20), now=now)  # Before any worker has judged what the first run left.
    assert scan.scan_company(acme, now=now) == 0
    assert Notice.objects.filter(watched=watched(row)).count() == told


def test_a_run_that_lasts_while_real_thresholds_pass(acme: Company) -> None:
    row = credential_of(acme)
    assert scan.scan(now=before_end(row, days=90)) == 2
    move_clock(acme, timedelta(days=80))
    assert scan.scan(now=before_end(row, days=90)) == 2
    put_back(acme)
    assert scan.scan(now=before_end(row, days=29)) == 2
    in_real_time = Notice.objects.filter(watched=watched(row), clock_run=None, channel="mail")
    assert dict(in_real_time.values_list("threshold", "state")) == {90: DUE, 60: SKIPPED, 30: DUE}


@pytest.mark.postgresql
def test_a_company_that_is_ahead_is_found_without_walking_through_the_others(acme: Company, globex: Company) -> None:
    """As after some scans on one connection, when the server no longer plans for each value."""
    make_due_credentials(3000, days=200, project=make_project(admin=make_user(company=globex)))
    now = timezone.now()
    Credential.objects.update(next_notice_at=now + timedelta(days=100))
    row = credential_of(acme)
    move_to(acme, before_end(row, days=90), now=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SET LOCAL enable_seqscan = off")  # It would read so small a table whole.
        before = rows_read(cursor)
        assert scan.scan(now=now) == 2
        assert scan.scan(now=now) == 0
        assert rows_read(cursor) - before < 100


def rows_read(cursor: CursorWrapper) -> int:
    """How many credentials this transaction has looked at."""
    cursor.execute(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'portal_credential'"
    )
    return int(cursor.fetchone()[0])
