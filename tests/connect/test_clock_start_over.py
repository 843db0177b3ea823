"""`Start over`: the run ends, real notices come all the same, and certificates keep their dates."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from connect.clock import company_time
from connect.clock_moves import RUN_IS_OVER, ClockRefused
from connect.expiry.snooze import snooze
from connect.expiry.sources import lifetime_of
from connect.models import Channel, Company, Notice, NoticeState, User
from kmp.models import InventoryEntry
from portal.models import Credential
from tests.connect.clock_steps import moved, over
from tests.connect.expiring import watched
from tests.connect.factories import make_staff, move_clock
from tests.factories import make_company, make_credential, make_project, make_user
from tests.kmp.factories import make_entry


def notice_of(company: Company, run: object, **fields: object) -> Notice:
    """A mail of a clock run that is still to be sent."""
    now = timezone.now()
    values = {
        "event": f"test:{uuid4()}",
        "kind": "connect.certificate-expires",
        "channel": Channel.MAIL,
        "address": "alice@acme.example",
        "company": company,
        "subject": "Soon over",
        "state": NoticeState.DUE,
        "created_at": now,
        "due_at": now,
        "clock_run": run,
        "company_at": now,
    }
    return Notice.objects.create(**{**values, **fields})


def test_the_clock_shows_real_time_and_the_next_run_is_another(acme: Company, sam: User) -> None:
    first = moved(acme, sam, days=400)
    over(acme, sam)
    acme.refresh_from_db()
    assert (acme.clock_ahead, acme.clock_run) == (timedelta(0), None)
    assert moved(acme, sam).run != first.run


def test_there_must_be_a_run(acme: Company, sam: User) -> None:
    with pytest.raises(ClockRefused, match="shows real time already"):
        over(acme, sam)
    moved(acme, sam)
    over(acme, sam)
    with pytest.raises(ClockRefused, match="shows real time already"):
        over(acme, sam)
    assert AuditEvent.objects.filter(action="company.clock_started_over").count() == 1


def test_mails_of_the_run_that_are_still_due_are_not_sent_any_more(acme: Company, sam: User) -> None:
    other = make_company()
    run = moved(acme, sam).run
    mine, real = notice_of(acme, run), notice_of(acme, None)
    sent = notice_of(acme, run, state=NoticeState.SENT, sent_at=timezone.now())
    failed = notice_of(acme, run, state=NoticeState.FAILED)
    foreign = notice_of(other, moved(other, make_staff()).run)
    over(acme, sam)
    mine.refresh_from_db()
    assert (mine.state, mine.reason) == (NoticeState.SKIPPED, RUN_IS_OVER)
    for row in (real, sent, failed, foreign):
        before = row.state
        row.refresh_from_db()
        assert (row.state, row.reason) == (before, "")


def test_every_threshold_is_judged_anew(acme: Company, sam: User, authorities: dict[str, Authority]) -> None:
    credential = make_credential(make_project(admin=make_user(company=acme)))
    entry, foreign = make_entry(acme), make_entry()
    moved(acme, sam, days=380)
    for row in (credential, entry, foreign):
        type(row).objects.filter(pk=row.pk).update(next_notice_at=None)
    over(acme, sam)
    for row in (credential, entry, foreign):
        row.refresh_from_db()
    assert credential.next_notice_at == credential.created_at
    assert entry.next_notice_at == entry.issued_at
    assert foreign.next_notice_at is None


def test_silence_of_the_run_ends_with_it_and_that_of_real_time_stays(
    acme: Company, sam: User, authorities: dict[str, Authority]
) -> None:
    project = make_project(admin=make_user(company=acme))
    real, rehearsed = make_credential(project), make_credential(project)
    entry, foreign = make_entry(acme), make_entry(make_company())
    move_clock(foreign.company, timedelta(days=300))
    _snooze(real)
    _snooze(foreign)
    moved(acme, sam, days=300)
    _snooze(rehearsed)
    _snooze(entry)
    over(acme, sam)
    for row in (real, rehearsed, entry, foreign):
        row.refresh_from_db()
    assert (rehearsed.snoozed_until, rehearsed.snoozed_by, entry.snoozed_until) == (None, "", None)
    assert real.snoozed_until is not None
    assert foreign.snoozed_until is not None
    assert AuditEvent.objects.get(action="company.clock_started_over").after["snoozes_ended"] == 2


def _snooze(row: Credential | InventoryEntry) -> None:
    lifetime = lifetime_of(watched(row))
    assert lifetime is not None
    now = timezone.now()
    until = company_time(lifetime.company, now).date() + timedelta(days=40)
    snooze(lifetime, until=until, by="alice@acme.example", actor=Actor("alice@acme.example"), now=now)


def test_certificates_keep_their_dates(acme: Company, sam: User, authorities: dict[str, Authority]) -> None:
    project = make_project(admin=make_user(company=acme))
    moved(acme, sam, days=200)
    project.company.refresh_from_db()
    credential = make_credential(project)
    end = credential.certificate.not_after
    over(acme, sam)
    assert Credential.objects.get(pk=credential.pk).certificate.not_after == end
