"""What KMP signs while the company's clock is ahead, and what its histories tell of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import RevocationReason
from certauthority.x509.profile import add_months
from connect.models import Company, User
from kmp import entries
from kmp.models import CertificateRequest, InventoryEntry
from kmp.signing import sign
from tests.connect.factories import move_clock
from tests.kmp.decisions import assert_lasts_by_the_clock, make_submitted, make_submitted_renewal
from tests.kmp.factories import make_entry, make_officer
from tests.kmp.wizard import browser, company_of
from tests.page_text import text_of

YEAR = timedelta(days=365)


def signed(request: CertificateRequest) -> InventoryEntry:
    return sign(request, decided_by="Kim", actor=Actor("kim@rehearsal.example"), now=timezone.now())


def test_what_is_signed_lasts_13_months_by_the_companys_clock(olga: User, acme: Company) -> None:
    move_clock(acme, YEAR)
    since = timezone.now()
    assert_lasts_by_the_clock(signed(make_submitted(olga)), ahead=YEAR, since=since)


def test_its_life_begins_by_the_clock(olga: User, acme: Company) -> None:
    move_clock(acme, YEAR)
    entry = signed(make_submitted(olga))
    page = browser(olga).get(reverse("kmp:entry", args=[entry.reference]))
    assert page.context["percent_over"] == 0
    assert page.context["began"] == entry.issued_at + YEAR
    assert f"its months are counted from {entry.issued_at + YEAR:%-d %b %Y, %H:%M} UTC" in text_of(page)


def test_a_renewal_does_too_and_the_old_one_stays_as_it_was(olga: User, acme: Company) -> None:
    old = make_entry(acme)
    move_clock(acme, YEAR)
    since = timezone.now()
    renewed = signed(make_submitted_renewal(olga, old))
    assert_lasts_by_the_clock(renewed, ahead=YEAR, since=since)
    assert InventoryEntry.objects.get(pk=old.pk).expires_at == old.expires_at


def test_another_company_gets_13_months_from_today(olga: User, acme: Company) -> None:
    other = make_officer()
    make_officer(company_of(other))
    move_clock(acme, YEAR)
    assert signed(make_submitted(other)).expires_at <= add_months(timezone.now(), 13)


@pytest.mark.parametrize("page", ["entry", "request"])
def test_histories_show_both_times_where_they_differ(olga: User, acme: Company, page: str) -> None:
    as_olga = browser(olga)

    def text_about(request: CertificateRequest, entry: InventoryEntry) -> str:
        arguments = [entry.reference if page == "entry" else request.number]
        return text_of(as_olga.get(reverse(f"kmp:{page}", args=arguments)))

    first = make_submitted(olga)
    assert "company clock" not in text_about(first, signed(first))
    move_clock(acme, YEAR)
    second = make_submitted(olga)
    entry = signed(second)
    text = text_about(second, entry)
    kind = "kmp-certificate" if page == "entry" else "kmp-request"
    events = list(AuditEvent.objects.filter(object_type=kind, object_id=str(second.pk)))
    assert events
    for event in events:
        assert event.company_at == event.at + YEAR
        assert f"{event.at:%-d %b %Y, %H:%M} UTC · company clock {event.company_at:%-d %b %Y, %H:%M} UTC" in text


def test_a_revocation_keeps_real_time_and_its_event_has_both(acme: Company) -> None:
    entry = make_entry(acme)
    move_clock(acme, YEAR)
    now = timezone.now()
    with CaptureQueriesContext(connection) as queries:
        entries.revoke(entry, reason=RevocationReason.SUPERSEDED, actor=Actor("olga@acme.example"), now=now)
    assert not any('FROM "connect_company"' in query["sql"] for query in queries), "the company comes with the entry"
    entry.certificate.refresh_from_db()
    assert entry.certificate.revoked_at == now
    event = AuditEvent.objects.get(action="kmp.certificate-revoked")
    assert (event.at, event.company_at) == (now, now + YEAR)
