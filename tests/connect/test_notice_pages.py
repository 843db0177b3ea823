"""A company's notices, in Connect and in KMP, and what a person chooses about notices."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority, CertificateUse, RevocationReason
from connect.clock import now_for
from connect.expiry import digest, scan
from connect.expiry.sources import sources
from connect.models import Company, NoticePreference, NoticeState, User
from connect.preferences import next_digest_at
from kmp import entries
from kmp.models import InventoryEntry
from tests.connect.factories import make_mail, move_clock
from tests.factories import make_company, make_project, make_user
from tests.kmp.factories import make_entry, make_officer
from tests.page_text import text_of

SignIn = Callable[[User], Client]
PAGES = ["connect:company_notices", "kmp:notices"]


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme Payments Ltd", group_email="group@acme.example")


@pytest.fixture
def olga(acme: Company) -> User:
    return make_officer(acme, email="olga@acme.example", name="Olga Brandt")


@pytest.fixture
def page(olga: User, sign_in: SignIn) -> Client:
    return sign_in(olga)


@pytest.fixture
def entry(authorities: dict[str, Authority], acme: Company) -> InventoryEntry:
    return make_entry(acme)


def until_days_left(entry: InventoryEntry, days: int) -> None:
    """Move the company's clock to noon, so many days before the certificate's last."""
    target = entry.expires_at.replace(hour=12, minute=0) - timedelta(days=days)
    move_clock(entry.company, target - now_for(entry.company))


@pytest.mark.parametrize("name", PAGES)
def test_what_is_due_names_officers_and_group_address(
    page: Client, olga: User, acme: Company, entry: InventoryEntry, name: str
) -> None:
    until_days_left(entry, 8)
    scan.scan_company(acme, now=timezone.now())
    response = page.get(reverse(name))
    text = text_of(response)
    assert [(row.what, row.days) for row in response.context["due_rows"]][:2] == [
        ("7 days before expiry", 1),
        ("3 days before expiry", 5),
    ]
    assert f"{entry.reference} {entry.common_name}" in text
    assert "Olga Brandt and group address group@acme.example" in text
    assert "tomorrow" in text
    assert "14 days before expiry" in text, "it was sent, and is in the log"
    assert "Only the nearest notice goes out." in text
    assert f'href="{reverse("kmp:entry", args=[entry.reference])}#snooze"' in response.content.decode()


def test_other_companies_and_projects_are_not_on_it(page: Client, acme: Company, entry: InventoryEntry) -> None:
    foreign = make_entry(make_company())
    InventoryEntry.objects.update(next_notice_at=timezone.now() + timedelta(days=1))
    make_mail(str(foreign.company_id), subject="Of another company")
    make_mail(str(make_project(admin=make_user(company=acme)).pk), subject="Of a project")
    make_mail(str(acme.pk), subject="Of our company")
    text = text_of(page.get(reverse("connect:company_notices")))
    assert "Of our company" in text
    assert "Of another company" not in text
    assert "Of a project" not in text
    assert foreign.reference not in text


def test_a_security_administrator_sees_it_without_ways_into_kmp(
    sam: User, sign_in: SignIn, authorities: dict[str, Authority]
) -> None:
    assert sam.company is not None
    make_officer(sam.company, name="Olga Brandt")
    entry = make_entry(sam.company)
    until_days_left(entry, 20)
    response = sign_in(sam).get(reverse("connect:company_notices"))
    shown = response.content.decode()
    assert entry.reference in text_of(response)
    assert reverse("kmp:entry", args=[entry.reference]) not in shown
    assert "#snooze" not in shown
    assert sign_in(sam).get(reverse("kmp:notices")).status_code == 403


def test_who_looks_after_nothing_is_told_where_notices_are(dora: User, sign_in: SignIn) -> None:
    response = sign_in(dora).get(reverse("connect:company_notices"))
    assert response.status_code == 403
    assert "Only security officers and Security Administrators of Acme Payments Ltd" in text_of(response)


def test_an_officer_tries_a_failed_mail_again(page: Client, acme: Company, dora: User, sign_in: SignIn) -> None:
    mail = make_mail(str(acme.pk), NoticeState.FAILED, error="SMTPDataError: 554 no", attempts=40)
    again = reverse("connect:company_notice_retry", args=[mail.pk])
    assert again in page.get(reverse("kmp:notices")).content.decode()
    assert sign_in(dora).post(again).status_code == 404
    assert sign_in(make_officer()).post(again).status_code == 404
    assert "1 mail will be tried again" in text_of(page.post(again, follow=True))
    mail.refresh_from_db()
    assert mail.state == NoticeState.DUE
    assert AuditEvent.objects.get(action="notice.tried-again").company == str(acme.pk)


def test_the_database_and_the_rule_agree_on_what_is_silent(authorities: dict[str, Authority], acme: Company) -> None:
    for uses_old in (False, True):
        old = make_entry(acme)
        new = make_entry(acme, renews=old)
        if uses_old:
            at = new.issued_at + timedelta(seconds=1)
            CertificateUse.objects.create(certificate=old.certificate, first_used_at=at, last_used_at=at)
    third = make_entry(acme)
    revoked = make_entry(acme, renews=third)
    now = timezone.now()
    entries.revoke(revoked, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=now)
    fourth = make_entry(acme)
    InventoryEntry.objects.filter(pk=make_entry(acme, renews=fourth).pk).update(expires_at=now - timedelta(days=1))
    (source,) = (source for source in sources() if source.name == "kmp")
    speaking = {lifetime.name for lifetime in source.lifetimes(source.speaking(source.rows(), now=now))}
    assert speaking == {
        item.name for item in source.lifetimes(source.rows()) if not item.at(now).is_replaced_and_unused
    }
    assert {third.reference, fourth.reference} <= speaking
    assert len(speaking) == 6


def test_the_number_of_queries_is_the_same_for_2_and_for_20(page: Client, acme: Company, entry: InventoryEntry) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert page.get(reverse("kmp:notices")).status_code == 200
        return len(found)

    def fill(count: int) -> None:
        for _ in range(count):
            row = make_entry(acme)
            make_mail(str(acme.pk), watched=f"kmp:{row.pk}", threshold=30, event=f"of-{row.pk}")
        until_days_left(InventoryEntry.objects.select_related("company").first() or entry, 20)

    fill(2)
    queries()  # The first look also notes that somebody is here.
    few = queries()
    fill(18)
    assert queries() == few


def test_the_pages_lead_to_each_other(page: Client, acme: Company) -> None:
    kmp = page.get(reverse("kmp:notices")).content.decode()
    assert re.search(rf'href="{reverse("kmp:notices")}" aria-current="page"', kmp)
    assert f'href="{reverse("connect:notice_settings")}"' in kmp
    assert f'href="{reverse("connect:company_notices")}"' in page.get(reverse("connect:company")).content.decode()
    assert f'href="{reverse("connect:notice_settings")}"' in page.get(reverse("connect:notices")).content.decode()


def test_the_settings_page_says_when_by_the_settings(page: Client, settings: Settings) -> None:
    settings.NOTICE_THRESHOLD_DAYS = (45, 0, -3)
    text = text_of(page.get(reverse("connect:notice_settings")))
    assert "45 days before expiry On the day of expiry 3 days after expiry" in text
    assert "90 days before" not in text


def test_the_digest_is_asked_for_and_ended(page: Client, olga: User) -> None:
    url = reverse("connect:notice_settings")
    before = next_digest_at(timezone.now())
    text = text_of(page.post(url, {"weekly_digest": "on"}, follow=True))
    assert "You get the weekly digest from next Monday on." in text
    row = NoticePreference.objects.get(user=olga)
    assert row.weekly_digest
    assert row.next_digest_at is not None
    assert before <= row.next_digest_at <= next_digest_at(timezone.now())
    assert f"{row.next_digest_at:%-d %b %Y}, 06:00 UTC" in text
    page.post(url, {"weekly_digest": "on"})
    assert AuditEvent.objects.filter(action="account.digest-chosen").count() == 1
    assert "You get no weekly digest any more." in text_of(page.post(url, {}, follow=True))
    assert not NoticePreference.objects.filter(weekly_digest=True).exists()
    assert not NoticePreference.objects.filter(next_digest_at__isnull=False).exists()


def test_the_first_digest_follows_the_companys_clock(page: Client, olga: User, acme: Company) -> None:
    move_clock(acme, timedelta(days=400))
    page.post(reverse("connect:notice_settings"), {"weekly_digest": "on"})
    row = NoticePreference.objects.get(user=olga)
    assert row.next_digest_at is not None
    assert row.next_digest_at > timezone.now() + timedelta(days=399)


def test_the_address_of_the_calendar_is_shown_once(page: Client, olga: User) -> None:
    url, settings_url = reverse("connect:calendar_address"), reverse("connect:notice_settings")
    response = page.post(url, {"do": "make"})
    found = re.search(r"http://localhost:8000(/connect/calendar/[\w-]{43}\.ics)", response.content.decode())
    assert found is not None
    assert "no-store" in response["Cache-Control"]
    assert Client().get(found[1]).status_code == 200
    assert "/connect/calendar/" not in page.get(settings_url).content.decode()
    assert "cannot be shown again" in text_of(page.get(settings_url))
    assert "It opens nothing any more." in text_of(page.post(url, {"do": "end"}, follow=True))
    assert Client().get(found[1]).status_code == 404
    assert "You have no address yet." in text_of(page.get(settings_url))
    page.post(url, {"do": "something else"})
    assert NoticePreference.objects.get(user=olga).calendar_digest == ""


@pytest.fixture
def reader(olga: User, page: Client) -> User:
    page.post(reverse("connect:notice_settings"), {"weekly_digest": "on"})
    return olga


def has_digest(user: User) -> bool:
    return NoticePreference.objects.get(user=user).weekly_digest


def test_the_link_of_the_digest_asks_before_it_acts(reader: User) -> None:
    url, browser = digest.unsubscribe_path(reader), Client(enforce_csrf_checks=True)
    response = browser.get(url)
    assert "Shall olga@acme.example get no weekly digest any more?" in text_of(response)
    assert has_digest(reader)
    assert browser.post(url).status_code == 403
    assert has_digest(reader)
    token = browser.cookies["csrftoken"].value
    response = browser.post(url, {"csrfmiddlewaretoken": token})
    assert "You get no weekly digest." in text_of(response)
    assert not has_digest(reader)
    assert "You get no weekly digest." in text_of(browser.get(url))


def test_a_mail_program_ends_it_with_one_click(reader: User) -> None:
    url, program = digest.unsubscribe_path(reader), Client(enforce_csrf_checks=True)
    for _ in range(2):
        response = program.post(url, {"List-Unsubscribe": "One-Click"})
        assert (response.status_code, response.content) == (200, b"You get no weekly digest any more.")
    assert not has_digest(reader)
    event = AuditEvent.objects.filter(action="account.digest-chosen").latest("id")
    assert (event.actor, event.after) == (reader.email, {"weekly_digest": False})


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: "x" * 500, lambda t: t.replace(":", ":A", 1)])
def test_a_link_that_is_not_ours_ends_nothing(reader: User, change: Callable[[str], str]) -> None:
    url = reverse("connect:digest_unsubscribe", args=[change(digest.token_of(reader))])
    shown = Client().get(url)
    assert shown.status_code == 404
    assert "This link does not work" in text_of(shown)
    assert Client().post(url, {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert has_digest(reader)


def test_the_link_of_a_snooze_opens_no_digest(reader: User) -> None:
    token = signing.dumps(str(reader.pk), salt="connect.expiry.snooze")
    url = reverse("connect:digest_unsubscribe", args=[token])
    assert Client().post(url, {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert has_digest(reader)
