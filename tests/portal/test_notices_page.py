"""Notices of a project: what is due and whom it reaches, what is to come, and what became of the rest."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from certauthority.models import Authority, Certificate, CertificateUse
from connect.clock import now_for
from connect.expiry import outlook, scan
from connect.expiry.sources import sources
from connect.expiry.thresholds import first_after
from connect.models import Channel, Notice, NoticeState, User
from portal.models import Credential, Project, Role
from tests.connect.factories import make_mail, move_clock
from tests.factories import (
    let_expire,
    make_company,
    make_credential,
    make_many_credentials,
    make_member,
    make_project,
    make_user,
)
from tests.page_text import text_of


@pytest.fixture
def alice(db: None) -> User:
    return make_user(email="alice@acme.example", name="Alice Marlow", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


@pytest.fixture
def credential(project: Project, authorities: dict[str, Authority]) -> Credential:
    return make_credential(project, alias="payouts-mtf")


@pytest.fixture
def page(alice: User, project: Project) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def url_of(project: Project, query: str = "") -> str:
    return reverse("portal:notices", args=[project.pk]) + query


def until_days_left(credential: Credential, days: int) -> None:
    """Move the clock of the company to noon, so many days before the certificate's last."""
    last = credential.certificate.not_after
    target = last.replace(hour=12, minute=0) - timedelta(days=days)
    move_clock(credential.project.company, target - now_for(credential.project.company))


def let_scan(credential: Credential) -> None:
    scan.scan_company(credential.project.company, now=timezone.now())


def use(credential: Credential, *, at: datetime) -> None:
    CertificateUse.objects.create(certificate=credential.certificate, first_used_at=at, last_used_at=at)


def due_of(response: Any) -> list[tuple[str, str, int]]:
    return [(row.coming.lifetime.name, row.what, row.days) for row in response.context["due_rows"]]


def test_a_project_without_certificates_says_what_will_stand_here(page: Client, project: Project) -> None:
    text = text_of(page.get(url_of(project)))
    assert "Nothing is due in the next 30 days" in text
    assert "No notice, as things are" in text
    assert "No notices yet" in text


def test_a_new_certificate_has_nine_notices_to_come_but_for_the_one_after_the_13_months(
    page: Client, project: Project, credential: Credential
) -> None:
    response = page.get(url_of(project))
    assert due_of(response) == []
    coming = response.context["outlook"].coming
    assert (coming.notices, coming.certificates, len(coming.months)) == (8, 1, 14)
    assert "8 notices for 1 certificate" in text_of(response)
    make_credential(project, alias="payouts-2")
    assert "16 notices for 2 certificates" in text_of(page.get(url_of(project)))


def test_what_is_due_is_judged_at_the_companys_time(page: Client, project: Project, credential: Credential) -> None:
    until_days_left(credential, 20)
    let_scan(credential)
    response = page.get(url_of(project))
    assert due_of(response) == [
        ("payouts-mtf", "14 days before expiry", 6),
        ("payouts-mtf", "7 days before expiry", 13),
        ("payouts-mtf", "3 days before expiry", 17),
        ("payouts-mtf", "1 day before expiry", 19),
        ("payouts-mtf", "On the day of expiry", 20),
        ("payouts-mtf", "7 days after expiry", 27),
    ]
    text = text_of(response)
    assert "6 due" in text
    assert "No successor" in text
    assert "Alice Marlow" in text
    until_days_left(credential, 5)
    response = page.get(url_of(project))
    assert due_of(response)[:2] == [
        ("payouts-mtf", "7 days before expiry", 0),
        ("payouts-mtf", "3 days before expiry", 2),
    ]
    text = text_of(response)
    assert "5 due" in text, "the page follows the clock before the scan does"
    assert "within minutes" in text


def test_it_names_who_will_be_told(page: Client, project: Project, credential: Credential) -> None:
    until_days_left(credential, 20)
    for name in ("Bob Tran", "Carla Diaz"):
        make_member(project, Role.ADMIN, name=name)
    make_member(project, Role.READ_ONLY, name="Dora Lind")
    assert "Alice Marlow, Bob Tran and Carla Diaz" in text_of(page.get(url_of(project)))
    make_member(project, Role.ADMIN, name="Zoe Zed")
    text = text_of(page.get(url_of(project)))
    assert "Alice Marlow, Bob Tran, Carla Diaz and 1 more" in text
    assert "Dora Lind" not in text


def test_a_successor_is_named_and_silences_one_that_is_unused(
    page: Client, project: Project, credential: Credential
) -> None:
    until_days_left(credential, 20)
    make_credential(project, alias="payouts-next", predecessor=credential)
    assert due_of(page.get(url_of(project))) == []
    use(credential, at=timezone.now() + timedelta(minutes=1))
    response = page.get(url_of(project))
    assert len(due_of(response)) > 0
    assert "Successor payouts-next is live" in text_of(response)
    let_expire(Credential.objects.get(alias="payouts-next"), in_days=-1)
    assert "Successor payouts-next has expired" in text_of(page.get(url_of(project)))


def test_the_database_and_the_rule_agree_on_what_is_silent(project: Project, credential: Credential) -> None:
    for number, (uses_old, ends_new) in enumerate([(False, False), (True, False), (False, True), (True, True)]):
        old = make_credential(project, alias=f"old-{number}")
        new = make_credential(project, alias=f"new-{number}", predecessor=old)
        if uses_old:
            use(old, at=new.created_at)
        if ends_new:
            Credential.objects.filter(pk=new.pk).update(ended_at=timezone.now(), end_reason="revoked")
    last = make_credential(project, alias="old-4")
    let_expire(make_credential(project, alias="new-4", predecessor=last), in_days=-1)
    now = timezone.now()
    (source,) = (source for source in sources() if source.name == "portal")
    speaking = {lifetime.name for lifetime in source.lifetimes(source.speaking(source.rows(), now=now))}
    by_rule = {item.name for item in source.lifetimes(source.rows()) if not item.at(now).is_replaced_and_unused}
    assert speaking == by_rule == {"payouts-mtf", "old-1", "old-2", "old-3", "old-4", "new-0", "new-1", "new-4"}


def test_a_snoozed_one_is_not_due_and_stands_in_a_list_of_its_own(
    page: Client, project: Project, credential: Credential
) -> None:
    until_days_left(credential, 20)
    day = credential.certificate.not_after.date() - timedelta(days=5)
    Credential.objects.filter(pk=credential.pk).update(snoozed_until=day, snoozed_by="bob@acme.example")
    response = page.get(url_of(project))
    assert [what for _, what, _ in due_of(response)] == [
        "3 days before expiry",
        "1 day before expiry",
        "On the day of expiry",
        "7 days after expiry",
    ]
    assert f"No notice before {day.day} {day:%b %Y}, as bob@acme.example asked" in text_of(response)
    until_days_left(credential, 5)
    assert "as bob@acme.example asked" not in text_of(page.get(url_of(project)))


def test_admins_can_snooze_and_readers_see_no_button(page: Client, project: Project, credential: Credential) -> None:
    until_days_left(credential, 20)
    place = reverse("portal:credential", args=[project.pk, "sandbox", credential.pk])
    assert page.get(url_of(project)).content.decode().count(f'href="{place}#snooze"') == 1, "once for each certificate"
    reader = Client()
    reader.force_login(make_member(project, Role.READ_ONLY))
    seen = reader.get(url_of(project))
    assert seen.status_code == 200
    assert "#snooze" not in seen.content.decode()
    assert due_of(seen) != []


def test_what_the_scan_sent_and_skipped_stands_in_the_log(
    page: Client, project: Project, credential: Credential
) -> None:
    until_days_left(credential, 14)
    let_scan(credential)
    response = page.get(url_of(project))
    text = text_of(response)
    events = Notice.objects.filter(scope=str(project.pk), channel=Channel.MAIL).values("event").distinct().count()
    assert str(response.context["chips"][0].count) == str(events)
    assert "14 days before expiry" in text
    assert "Only the nearest notice goes out." in text
    assert "in real time" in text
    assert project.company.clock_run is not None
    skipped = text_of(page.get(url_of(project, "?show=skipped")))
    assert "90 days before expiry" in skipped
    assert Notice.objects.filter(scope=str(project.pk), state=NoticeState.SKIPPED).count() == 3


def queries_of(page: Client, project: Project, query: str = "") -> int:
    with CaptureQueriesContext(connection) as found:
        assert page.get(url_of(project, query)).status_code == 200
    return len(found)


def fill(project: Project, count: int, at: datetime) -> None:
    end = at + timedelta(days=20)
    rows = make_many_credentials(project, count, not_after=end)
    Credential.objects.filter(pk__in=[row.pk for row in rows]).update(next_notice_at=first_after(end, at))
    for row in rows:
        make_mail(str(project.pk), watched=f"portal:{row.pk}", threshold=30, recipient=project.members.first())


def test_the_number_of_queries_is_the_same_for_2_and_for_20(page: Client, project: Project) -> None:
    at = timezone.now()
    fill(project, 2, at)
    page.get(url_of(project))
    few = queries_of(page, project)
    fill(project, 18, at)
    assert queries_of(page, project) == few


def test_more_than_fit_are_counted_and_not_listed(
    page: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "LISTED", 5)
    at = timezone.now()
    fill(project, 12, at)
    response = page.get(url_of(project))
    assert len(due_of(response)) == 5
    text = text_of(response)
    total = response.context["outlook"].due_count
    assert total == 12 * 6
    assert f"The first 5 of {total} are listed." in text


def test_a_list_that_does_not_fit_leaves_nothing_out_before_its_end(
    page: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now()
    fill(project, 12, at)
    for number, row in enumerate(Credential.objects.order_by("alias")):
        end = at + timedelta(days=15 + number)
        until = (at + timedelta(days=14)).date() if number % 2 else None
        Certificate.objects.filter(pk=row.certificate_id).update(not_after=end)
        Credential.objects.filter(pk=row.pk).update(next_notice_at=first_after(end, at), snoozed_until=until)
    whole = due_of(page.get(url_of(project)))
    monkeypatch.setattr(outlook, "LISTED", 5)
    first = due_of(page.get(url_of(project)))
    assert 0 < len(first) <= 5
    assert [days for _, _, days in first] == [days for _, _, days in whole][: len(first)]


def test_the_navigation_leads_here(page: Client, project: Project) -> None:
    summary = page.get(reverse("portal:project", args=[project.pk])).content.decode()
    assert f'href="{url_of(project)}"' in summary
    here = page.get(url_of(project)).content.decode()
    assert re.search(rf'href="{re.escape(url_of(project))}" aria-current="page"', here)
    assert reverse("connect:notice_settings") in here


def test_the_current_month_is_marked(page: Client, project: Project, credential: Credential) -> None:
    until_days_left(credential, 40)
    response = page.get(url_of(project))
    first: date = response.context["outlook"].coming.months[0].first
    shown = credential.certificate.not_after - timedelta(days=40)
    assert (first.year, first.month) == (shown.year, shown.month)
    assert response.content.decode().count('aria-current="date"') == 1
