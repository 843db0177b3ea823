"""Silence about one certificate until a day, and the signed links that ask for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.core import signing
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import RevocationReason
from connect.expiry.snooze import (
    LinkExpired,
    LinkForged,
    SnoozeRefused,
    days_to_choose,
    read_token,
    snooze,
    snooze_url,
    wake,
    why_not,
)
from connect.expiry.sources import Lifetime, lifetime_of
from connect.models import Company
from kmp.lifetimes import watched as watched_entry
from portal import revocation
from portal.lifetimes import watched
from portal.models import Credential
from tests.connect.factories import move_clock
from tests.connect.lifetimes import day, make_lifetime
from tests.factories import let_expire, make_company, make_credential, make_project, make_user
from tests.kmp.factories import make_entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]

ALICE = "alice@acme.example"
ACTOR = Actor(ALICE, "192.0.2.7")


@pytest.fixture
def credential() -> Credential:
    alice = make_user(email=ALICE, company=make_company(name="Acme Payments Ltd"))
    return make_credential(make_project(admin=alice), alias="payouts")


def lifetime_now(credential: Credential) -> Lifetime:
    found = lifetime_of(watched(credential))
    assert found is not None
    return found


def in_days(days: int) -> date:
    return (timezone.now() + timedelta(days=days)).date()


def test_a_clock_run_that_has_ended_meanwhile_takes_no_snooze(credential: Credential) -> None:
    company = credential.project.company
    move_clock(company, timedelta(days=200))
    seen_in_the_run = lifetime_now(credential)
    Company.objects.filter(pk=company.pk).update(clock_ahead=timedelta(0), clock_run=None)
    with pytest.raises(SnoozeRefused, match="clock was moved meanwhile"):
        snooze(seen_in_the_run, until=in_days(250), by=ALICE, actor=ACTOR, now=timezone.now())
    assert lifetime_now(credential).snoozed_until is None


def token_in(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


def asleep(credential: Credential, until: date, *, by: str = ALICE, now: datetime | None = None) -> None:
    snooze(lifetime_now(credential), until=until, by=by, actor=ACTOR, now=now or timezone.now())


def test_it_is_silent_before_the_day_and_awake_on_it(credential: Credential) -> None:
    asleep(credential, in_days(10))
    lifetime = lifetime_now(credential)
    assert (lifetime.snoozed_until, lifetime.snoozed_by) == (in_days(10), ALICE)
    assert lifetime.is_snoozed(timezone.now() + timedelta(days=9))
    assert not lifetime.is_snoozed(timezone.now() + timedelta(days=10))


def test_the_log_says_who_and_until_when(credential: Credential) -> None:
    asleep(credential, in_days(10))
    asleep(credential, in_days(20))
    wake(lifetime_now(credential), actor=ACTOR, now=timezone.now())
    events = list(AuditEvent.objects.filter(object_id=str(credential.pk), action__in=["credential.snoozed"]))
    assert [(event.before["snoozed_until"], event.after["snoozed_until"]) for event in reversed(events)] == [
        (None, in_days(10).isoformat()),
        (in_days(10).isoformat(), in_days(20).isoformat()),
    ]
    assert {(event.actor, event.address, event.project) for event in events} == {
        (ALICE, "192.0.2.7", str(credential.project_id))
    }
    woken = AuditEvent.objects.get(action="credential.woken")
    assert (woken.before["snoozed_until"], woken.after["snoozed_until"]) == (in_days(20).isoformat(), None)
    assert lifetime_now(credential).snoozed_by == ""


def test_what_is_asked_for_twice_is_one_event(credential: Credential) -> None:
    asleep(credential, in_days(10))
    asleep(credential, in_days(10))
    assert AuditEvent.objects.filter(action="credential.snoozed").count() == 1
    for _ in range(2):
        wake(lifetime_now(credential), actor=ACTOR, now=timezone.now())
    assert AuditEvent.objects.filter(action="credential.woken").count() == 1


def test_a_certificate_of_kmp_sleeps_as_well() -> None:
    entry = make_entry(make_company())
    lifetime = lifetime_of(watched_entry(entry))
    assert lifetime is not None
    snooze(lifetime, until=in_days(5), by="olga@acme.example", actor=ACTOR, now=timezone.now())
    entry.refresh_from_db()
    assert (entry.snoozed_until, entry.snoozed_by) == (in_days(5), "olga@acme.example")
    event = AuditEvent.objects.get(action="kmp.certificate-snoozed")
    assert (event.object_id, event.company) == (str(entry.pk), str(entry.company_id))


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2027-01-31T12:00", date(2027, 2, 1), date(2028, 2, 29)),
        ("2026-12-31T23:59", date(2027, 1, 1), date(2028, 1, 31)),
        ("2027-02-28T00:00", date(2027, 3, 1), date(2028, 3, 28)),
    ],
    ids=["into a leap day", "last minute of the year", "28-day month"],
)
def test_one_chooses_from_tomorrow_to_thirteen_months_ahead(now: str, first: date, last: date) -> None:
    assert days_to_choose(now=day(now)) == (first, last)


@pytest.mark.parametrize("days", [-1, 0, 500])
def test_other_days_are_refused_and_change_nothing(credential: Credential, days: int) -> None:
    with pytest.raises(SnoozeRefused, match=r"^Choose a day from \d"):
        asleep(credential, in_days(days))
    assert lifetime_now(credential).snoozed_until is None
    assert not AuditEvent.objects.filter(action="credential.snoozed").exists()


def test_days_are_those_of_the_companys_clock(credential: Credential) -> None:
    move_clock(credential.project.company, timedelta(days=100))
    with pytest.raises(SnoozeRefused):
        asleep(credential, in_days(50))
    asleep(credential, in_days(101))
    event = AuditEvent.objects.get(action="credential.snoozed")
    assert event.company_at is not None
    assert event.company_at - event.at == timedelta(days=100)


def test_a_revoked_certificate_has_nothing_to_snooze(credential: Credential) -> None:
    seen = lifetime_now(credential)
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=ACTOR, now=timezone.now())
    with pytest.raises(SnoozeRefused, match="payouts has ended meanwhile"):
        snooze(seen, until=in_days(10), by=ALICE, actor=ACTOR, now=timezone.now())
    wake(seen, actor=ACTOR, now=timezone.now())
    credential.refresh_from_db()
    assert credential.snoozed_until is None


def test_after_the_last_notice_there_is_nothing_to_snooze(credential: Credential) -> None:
    let_expire(credential, in_days=-3)
    asleep(credential, in_days(2))
    let_expire(credential, in_days=-7)
    with pytest.raises(SnoozeRefused, match="No further notice about payouts will come"):
        asleep(credential, in_days(3))
    assert why_not(make_lifetime(expires_at=day("2027-01-01")), now=day("2027-01-07T23:59")) == ""
    assert why_not(make_lifetime("x", expires_at=day("2027-01-01")), now=day("2027-01-08")) != ""


def test_a_link_says_what_it_was_made_for(credential: Credential) -> None:
    url = snooze_url(lifetime_now(credential), "Alice@acme.example")
    assert url.startswith("http")
    link = read_token(token_in(url))
    assert (link.watched, link.address) == (watched(credential), ALICE)


def test_a_link_lasts_120_days_of_real_time(credential: Credential) -> None:
    token = token_in(snooze_url(lifetime_now(credential), ALICE))
    move_clock(credential.project.company, timedelta(days=400))
    with time_machine.travel(timezone.now() + timedelta(days=119, hours=23), tick=False):
        assert read_token(token).address == ALICE
    with time_machine.travel(timezone.now() + timedelta(days=120, seconds=2), tick=False), pytest.raises(LinkExpired):
        read_token(token)


def test_no_other_text_is_a_link(credential: Credential) -> None:
    token = token_in(snooze_url(lifetime_now(credential), ALICE))
    content, _, signature = token.partition(":")
    others = [
        "",
        "x",
        content,
        f"{content}:",
        f"{content[:-2]}AA:{signature}",
        token[:-1],
        token + "A",
        token.swapcase(),
        "A" * 100_000,
        signing.dumps([watched(credential), ALICE], salt="another"),
        signing.dumps([watched(credential), ALICE], salt="connect.expiry.snooze", key="another key"),
    ]
    for other in others:
        with pytest.raises(LinkForged):
            read_token(other)


def test_two_mails_about_one_certificate_have_two_links(credential: Credential) -> None:
    lifetime = lifetime_now(credential)
    assert snooze_url(lifetime, ALICE) != snooze_url(lifetime, "bob@acme.example")
