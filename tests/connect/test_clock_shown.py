"""What the page ``Clock`` shows: names only to who may read them, mails on their way, in few queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority.models import Authority
from connect.models import Channel, ClockJump, Company, Notice, NoticeState, User
from portal.models import Credential
from tests.connect.clock_pages import CLOCK, press, state_on, url_of
from tests.connect.conftest import SignIn
from tests.connect.expiring import before_end, end_of
from tests.factories import make_credential, make_many_credentials, make_project, make_user
from tests.kmp.factories import make_entry, make_many_entries, make_officer
from tests.page_text import text_of

DAY = timedelta(days=1)


@pytest.fixture
def alice(acme: Company) -> User:
    return make_user(company=acme, email="alice@acme.example", name="Alice Marlow")


@pytest.fixture
def credential(alice: User, authorities: dict[str, Authority]) -> Credential:
    return make_credential(make_project(admin=alice, name="Checkout API"), alias="payouts")


@pytest.fixture
def as_alice(credential: Credential, alice: User, sign_in: SignIn) -> Client:
    return sign_in(alice)


class TestNames:
    def test_what_one_may_not_see_is_told_without_names(
        self, as_alice: Client, acme: Company, credential: Credential, sign_in: SignIn
    ) -> None:
        entry = make_entry(acme)
        hidden = make_credential(make_project(admin=make_user(company=acme), name="Secret Project"), alias="hush")
        page = press(as_alice, "date", on=(before_end(credential, days=30)).date().isoformat())
        words = text_of(page)
        assert "payouts" in words
        for name in (entry.reference, entry.common_name, "hush", "Secret Project", hidden.certificate.common_name):
            assert name not in page.content.decode()
        assert "A certificate of another project" in words
        assert "A certificate that only security officers see" in words
        page = press(as_alice, "date", on=(end_of(hidden) + DAY).date().isoformat())
        assert page.context["clock"].caused.since.expired_count == 3
        assert "hush" not in page.content.decode()
        assert entry.reference not in page.content.decode()

    def test_a_project_admin_who_is_an_officer_sees_both(
        self, acme: Company, credential: Credential, sign_in: SignIn
    ) -> None:
        officer = make_officer(acme)
        entry = make_entry(acme)
        make_project(admin=officer)
        words = text_of(sign_in(officer).get(CLOCK))
        assert entry.reference in words
        assert "payouts" not in words

    def test_markup_in_names_stays_text(self, as_alice: Client, credential: Credential) -> None:
        Credential.objects.filter(pk=credential.pk).update(alias="<b>payouts</b>\u202e")
        page = press(as_alice, "event")
        assert "<b>payouts" not in page.content.decode()
        assert "U+202E" in text_of(page)


def test_the_page_asks_again_while_mails_are_on_their_way(as_alice: Client, acme: Company) -> None:
    press(as_alice, "event")
    part = as_alice.get(CLOCK, headers={"HX-Request": "true"})
    assert part.content.decode().strip().startswith(("<section", "{#")) or "<html" not in part.content.decode()
    assert 'hx-trigger="every 2s"' in part.content.decode()
    Notice.objects.filter(channel=Channel.MAIL).update(state=NoticeState.SENT, sent_at=timezone.now())
    part = as_alice.get(CLOCK, headers={"HX-Request": "true"})
    assert "hx-trigger" not in part.content.decode()
    assert "Mails sent 1" in text_of(part)
    as_alice.post(url_of(acme, "start-over/"), {"state": state_on(as_alice.get(CLOCK))})
    assert as_alice.get(CLOCK, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_mail_that_does_not_go_out_is_not_asked_for_for_ever(as_alice: Client, acme: Company) -> None:
    press(as_alice, "event")
    ClockJump.objects.update(moved_at=timezone.now() - timedelta(minutes=3))
    page = as_alice.get(CLOCK)
    assert "On its way" in text_of(page)
    assert "hx-trigger" not in page.content.decode()


@pytest.mark.parametrize("count", [2, 40])
def test_the_page_takes_the_same_number_of_queries_whatever_there_is(
    as_alice: Client, acme: Company, credential: Credential, count: int
) -> None:
    press(as_alice, "event")
    make_many_credentials(credential.project, count)
    make_many_entries(acme, count)
    as_alice.get(CLOCK)
    with CaptureQueriesContext(connection) as asked:
        as_alice.get(CLOCK)
    assert len(asked) == PAGE_QUERIES


# For each portal one for each threshold and one for ends; the rest is the person, the bar, the jump and its notices.
PAGE_QUERIES = 51
