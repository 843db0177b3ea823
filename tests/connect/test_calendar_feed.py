"""The calendar feed: what is in it by two readers, who may read it, and for how long its address opens it."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisAway

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from connect import preferences
from connect.expiry import calendar
from connect.models import NoticePreference, User
from portal.models import Credential, Membership, Project
from tests.connect.calendar_reader import Component, read
from tests.connect.factories import move_clock
from tests.factories import let_expire, make_company, make_credential, make_many_credentials, make_project, make_user
from tests.kmp.factories import make_entry, make_officer


@pytest.fixture
def alice(db: None) -> User:
    return make_user(email="alice@acme.example", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts-mtf")


def address_of(user: User) -> str:
    secret = preferences.make_calendar_address(user, actor=Actor(user.email), now=timezone.now())
    return reverse("connect:calendar_feed", args=[secret])


def feed(user: User) -> bytes:
    return calendar.feed_of(user, now=timezone.now())


def events(data: bytes) -> dict[str, Component]:
    """The events by the first word of their summary, which is the alias."""
    return {event.properties["SUMMARY"].split(" ")[0]: event for event in read(data).inner if event.name == "VEVENT"}


def test_each_certificate_is_an_event_at_its_end_with_three_alarms(alice: User, credential: Credential) -> None:
    end = credential.certificate.not_after
    data = feed(alice)
    whole = read(data)
    assert whole.name == "VCALENDAR"
    assert whole.properties["VERSION"] == "2.0"
    assert whole.properties["PRODID"]
    (event,) = whole.inner
    assert event.properties["SUMMARY"] == "payouts-mtf (Sandbox) expires, and nothing replaces it"
    assert event.properties["DTSTART"] == f"{end:%Y%m%dT%H%M%SZ}"
    assert event.properties["UID"] == f"portal-{credential.pk}@localhost"
    assert event.properties["SEQUENCE"] == "0"
    assert event.properties["URL"].endswith(str(credential.pk) + "/")
    assert [alarm.properties["TRIGGER"] for alarm in event.inner] == ["-P30D", "-P7D", "-P1D"]
    assert {alarm.properties["ACTION"] for alarm in event.inner} == {"DISPLAY"}
    assert event.inner[0].properties["DESCRIPTION"] == "payouts-mtf (Sandbox) expires in 30 days"
    lines = event.properties["DESCRIPTION"].split("\n")
    assert lines[0] == f"Common name: {credential.certificate.common_name}"
    assert f"Serial number: {credential.certificate.serial.upper()}" in lines
    assert "Where: Checkout API, Sandbox" in lines
    assert "Successor: none" in lines
    assert lines[-1].startswith("Rotate payouts-mtf: http://localhost:8000/projects/")


def test_the_library_reads_the_same(alice: User, credential: Credential) -> None:
    data = feed(alice)
    (ours,) = events(data).values()
    (theirs,) = Calendar.from_ical(data).walk("VEVENT")
    assert str(theirs["SUMMARY"]) == ours.properties["SUMMARY"]
    assert str(theirs["DESCRIPTION"]) == ours.properties["DESCRIPTION"]
    assert theirs.decoded("DTSTART") == credential.certificate.not_after.replace(microsecond=0)
    assert [alarm.decoded("TRIGGER") for alarm in theirs.walk("VALARM")] == [
        timedelta(days=-30),
        timedelta(days=-7),
        timedelta(days=-1),
    ]


def test_certificates_of_kmp_are_in_it(authorities: dict[str, Authority]) -> None:
    olga = make_officer()
    assert olga.company is not None
    entry = make_entry(olga.company)
    make_entry(make_company())
    assert set(events(feed(olga))) == {entry.reference}


@pytest.mark.parametrize(
    "alias",
    [
        "a\\b;c,d\nBEGIN:VEVENT",
        "x\r\nATTENDEE:mailto:evil@x.example",
        "\u202eevil\u2028\x07",
        "é" * 64,
        "🔑" * 60,
        '"quoted":;=',
        "END:VCALENDAR",
    ],
    ids=["escapes", "crlf", "bidi", "two-octets", "four-octets", "quotes", "end"],
)
def test_whatever_an_alias_holds_it_stays_one_text(alice: User, credential: Credential, alias: str) -> None:
    Credential.objects.filter(pk=credential.pk).update(alias=alias)
    data = feed(alice)
    whole = read(data)
    (event,) = whole.inner
    summary = event.properties["SUMMARY"]
    assert summary.endswith(" (Sandbox) expires, and nothing replaces it")
    assert summary.isprintable()
    assert set(event.properties) == set(read(feed(alice)).inner[0].properties)
    assert "ATTENDEE" not in event.properties
    (theirs,) = Calendar.from_ical(data).walk("VEVENT")
    assert str(theirs["SUMMARY"]) == summary
    kept = [part for part in alias.split() if part.isprintable()]
    assert all(part in summary for part in kept)


def test_the_same_certificates_give_the_same_bytes_and_a_successor_a_new_sequence(
    alice: User, project: Project, credential: Credential
) -> None:
    before = feed(alice)
    assert feed(alice) == before
    new = make_credential(project, alias="payouts-next", predecessor=credential)
    found = events(feed(alice))
    old = found["payouts-mtf"]
    assert old.properties["SUMMARY"] == "payouts-mtf (Sandbox) expires, replaced by payouts-next"
    assert (old.properties["UID"], old.properties["SEQUENCE"]) == (events(before)["payouts-mtf"].properties["UID"], "1")
    assert old.properties["DTSTAMP"] == f"{new.created_at:%Y%m%dT%H%M%SZ}"
    assert old.inner == [], "replaced and unused: no alarm rings"
    assert len(found["payouts-next"].inner) == 3


def test_no_alarm_rings_while_it_is_snoozed(alice: User, credential: Credential) -> None:
    day = (credential.certificate.not_after - timedelta(days=6)).date()
    Credential.objects.filter(pk=credential.pk).update(snoozed_until=day)
    (event,) = events(feed(alice)).values()
    assert [alarm.properties["TRIGGER"] for alarm in event.inner] == ["-P1D"]
    assert f"Snoozed until {day.day} {day:%B %Y}" in event.properties["DESCRIPTION"]


def test_a_clock_that_is_ahead_moves_no_event_and_is_told(
    alice: User, project: Project, credential: Credential
) -> None:
    start = events(feed(alice))["payouts-mtf"].properties["DTSTART"]
    move_clock(project.company, timedelta(days=100))
    event = events(feed(alice))["payouts-mtf"]
    there = credential.certificate.not_after - timedelta(days=100)
    assert event.properties["DTSTART"] == start
    assert "The clock of Acme Payments Ltd is 100 days ahead of this calendar" in event.properties["DESCRIPTION"]
    assert f"{there.day} {there:%B %Y, %H:%M} UTC" in event.properties["DESCRIPTION"]


def test_what_ended_long_ago_is_left_out_and_no_more_than_fit_are_told(
    alice: User, project: Project, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_expire(credential, in_days=-89)
    assert len(events(feed(alice))) == 1
    let_expire(credential, in_days=-91)
    assert events(feed(alice)) == {}
    monkeypatch.setattr(calendar, "MOST_EVENTS", 3)
    make_many_credentials(project, 5)
    whole = read(feed(alice))
    assert len(whole.inner) == 3
    assert whole.properties["X-WR-CALDESC"] == "The 3 certificates that expire next. There are more."


def test_what_has_ended_takes_no_room_from_what_ends_next(
    alice: User, project: Project, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar, "MOST_EVENTS", 3)
    now = timezone.now()
    old = [
        make_credential(project, alias=alias) for alias in ("ended-60", "ended-50", "ended-40", "ended-30", "ended-20")
    ]
    for row in old:
        let_expire(row, in_days=-int(row.alias.removeprefix("ended-")))
    assert list(events(feed(alice))) == ["ended-30", "ended-20", "payouts-mtf"], "the last ones to end, in order"
    make_many_credentials(project, 2, not_after=now + timedelta(days=9))
    assert [name for name in events(feed(alice)) if name.startswith("ended")] == []
    assert "X-WR-CALDESC" not in read(feed(alice)).properties


def test_the_number_of_queries_is_the_same_for_2_and_for_20(alice: User, project: Project) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            feed(alice)
        return len(found)

    make_many_credentials(project, 2)
    few = queries()
    make_many_credentials(project, 18)
    assert queries() == few


def test_the_address_opens_it_without_signing_in(client: Client, alice: User, credential: Credential) -> None:
    response = client.get(address_of(alice))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-cache"
    assert set(events(response.content)) == {"payouts-mtf"}
    again = client.get(response.wsgi_request.path, headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    let_expire(credential, in_days=3)
    changed = client.get(response.wsgi_request.path, headers={"If-None-Match": response["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != response["ETag"]
    assert client.post(response.wsgi_request.path).status_code == 405


def test_the_database_holds_the_digest_of_the_secret_alone(alice: User) -> None:
    secret = preferences.make_calendar_address(alice, actor=Actor(alice.email), now=timezone.now())
    row = NoticePreference.objects.get(user=alice)
    assert row.calendar_digest == hashlib.sha256(secret.encode()).hexdigest()
    assert len(secret) >= 43
    event = AuditEvent.objects.get(action="account.calendar-made")
    assert secret not in f"{event.before}{event.after}{event.object_label}"


def test_a_new_address_ends_the_old_one_and_both_can_be_ended(client: Client, alice: User) -> None:
    first, second = address_of(alice), address_of(alice)
    assert [client.get(url).status_code for url in (first, second)] == [404, 200]
    assert preferences.end_calendar_address(alice, actor=Actor(alice.email), now=timezone.now())
    assert client.get(second).status_code == 404
    assert not preferences.end_calendar_address(alice, actor=Actor(alice.email), now=timezone.now())
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"account.calendar-made", "account.calendar-renewed", "account.calendar-ended"} <= actions


@pytest.mark.parametrize("fields", [{"is_active": False}, {"company": None}], ids=["inactive", "left"])
def test_who_may_not_sign_in_or_has_left_the_company_has_no_calendar(
    client: Client, alice: User, credential: Credential, fields: dict[str, Any]
) -> None:
    address = address_of(alice)
    for name, value in fields.items():
        setattr(alice, name, value)
    alice.save()
    assert client.get(address).status_code == 404


def test_who_was_taken_off_the_project_sees_it_no_more(client: Client, alice: User, credential: Credential) -> None:
    address = address_of(alice)
    Membership.objects.filter(user=alice).delete()
    response = client.get(address)
    assert response.status_code == 200
    assert events(response.content) == {}


@pytest.mark.parametrize("secret", ["x", "A" * 43, "a" * 5000, "é"], ids=["short", "wrong", "long", "letters"])
def test_a_wrong_address_is_not_found_and_never_logged(
    client: Client, db: None, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = client.get(reverse("connect:calendar_feed", args=[secret]))
    assert response.status_code == 404
    assert "calendar/" not in caplog.text


def test_an_address_that_is_read_too_often_is_refused_for_a_while(
    client: Client, alice: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CALENDAR_READS_AN_HOUR = 2
    address, other = address_of(alice), address_of(make_user())
    assert [client.get(address).status_code for _ in range(3)] == [200, 200, 429]
    refusal = client.get(address)
    assert refusal["Retry-After"] == "3600"
    assert address not in caplog.text
    assert client.get(other).status_code == 200
    cache.clear()
    assert client.get(address).status_code == 200


def test_a_redis_that_is_away_keeps_nobody_from_the_calendar(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: Any, **options: Any) -> None:
        raise RedisAway

    address = address_of(alice)
    monkeypatch.setattr(cache, "add", away)
    assert client.get(address).status_code == 200
