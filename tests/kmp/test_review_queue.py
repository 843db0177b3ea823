"""The review queue: what waits, in which order, filtered, searched and page after page."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import SYSTEM
from certauthority.models import Authority
from connect.models import User
from kmp import key_management
from kmp.models import Application, CertificateRequest
from kmp.requests import cancel
from tests.connect.factories import make_staff
from tests.factories import make_company
from tests.kmp.decisions import A2A, REASON, in_review, make_submitted
from tests.kmp.factories import make_officer
from tests.kmp.wizard import browser, make_draft, make_two_officers
from tests.page_text import text_of

pytestmark = pytest.mark.django_db


QUEUE = "/kmp/review/"


@pytest.fixture(autouse=True)
def _site(authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """The CA, and the applications of every site."""


@pytest.fixture
def olga() -> User:
    return make_two_officers()[0]


@pytest.fixture
def kim() -> User:
    return make_staff(email="kim@site.example", name="Kim Adeyemi")


@pytest.fixture
def as_kim(kim: User) -> Client:
    return browser(kim)


def numbers_on(client: Client, query: str = "") -> list[str]:
    return [found.number for found in client.get(f"{QUEUE}{query}").context["page"].requests]


class TestTheQueue:
    def test_what_waits_longest_stands_first(self, as_kim: Client, olga: User) -> None:
        now = timezone.now()
        late = make_submitted(olga, A2A, now=now - timedelta(minutes=5))
        early = make_submitted(olga, A2A, now=now - timedelta(days=3))
        make_submitted(olga)
        make_draft(olga, A2A)
        text = text_of(as_kim.get(QUEUE))
        assert numbers_on(as_kim) == [early.number, late.number]
        assert "3 days" in text
        assert "Acme Payments Ltd" in text
        assert "2 requests, longest waiting first" in text

    def test_each_state_has_its_list(self, as_kim: Client, kim: User, olga: User) -> None:
        signed, rejected, cancelled, automatic = (
            make_submitted(olga, A2A),
            make_submitted(olga, A2A),
            make_submitted(olga, A2A),
            make_submitted(olga),
        )
        key_management.sign(in_review(signed, kim), by=kim, actor=SYSTEM, now=timezone.now())
        key_management.reject(in_review(rejected, kim), reason=REASON, by=kim, actor=SYSTEM, now=timezone.now())
        cancel(cancelled, by=olga, actor=SYSTEM, now=timezone.now())
        cancel(make_draft(olga), by=olga, actor=SYSTEM, now=timezone.now())
        assert numbers_on(as_kim) == numbers_on(as_kim, "?show=nonsense") == []
        assert "Nothing waits" in text_of(as_kim.get(QUEUE))
        for show, request in [
            ("signed", signed),
            ("rejected", rejected),
            ("cancelled", cancelled),
            ("automatic", automatic),
        ]:
            assert numbers_on(as_kim, f"?show={show}") == [request.number]

    def test_search_and_application_narrow_it(self, as_kim: Client, olga: User) -> None:
        other = make_officer(make_company(name="Globex Bank", group_email="certs@globex.example"), name="Greta")
        make_officer(other.company)
        acme, globex = make_submitted(olga, A2A), make_submitted(other, A2A)
        assert numbers_on(as_kim, "?q=globex") == [globex.number]
        assert numbers_on(as_kim, f"?q={acme.number}") == numbers_on(as_kim, "?q=stern+acme") == [acme.number]
        assert numbers_on(as_kim, f"?application={A2A}") == [acme.number, globex.number]
        assert numbers_on(as_kim, "?application=xbs-api-mtls") == []
        assert "No request is like that" in text_of(as_kim.get(f"{QUEUE}?q=nobody"))

    def test_pages_keep_the_filter_and_the_number_of_queries(self, as_kim: Client, olga: User) -> None:
        first = make_submitted(olga, A2A)
        as_kim.get(QUEUE)
        with CaptureQueriesContext(connection) as few:
            as_kim.get(f"{QUEUE}?q=acme")
        row = CertificateRequest.objects.filter(pk=first.pk).values().get()
        CertificateRequest.objects.bulk_create(
            CertificateRequest(**{**row, "id": uuid4(), "number": f"REQ-{70_000_000 + number}"}) for number in range(40)
        )
        with CaptureQueriesContext(connection) as many:
            page = as_kim.get(f"{QUEUE}?q=acme")
        assert len(many) == len(few)
        assert "41 requests" in text_of(page)
        last = numbers_on(as_kim, "?q=acme")[-1]
        assert f"?q=acme&amp;after={last}" in page.content.decode()
        assert len(numbers_on(as_kim, f"?q=acme&after={last}")) == 16
        assert len(numbers_on(as_kim, "?after=no")) == 25

    @pytest.mark.parametrize("name", ["q", "after", "before", "show", "application"])
    def test_garbage_in_the_address_is_no_failure_of_ours(self, as_kim: Client, olga: User, name: str) -> None:
        make_submitted(olga, A2A)
        for value in (
            "-1",
            "0",
            "9" * 30,
            "１",
            "🦊",
            "<script>alert(1)</script>",
            "' OR 1=1 --",
            "%",
            "\\",
            "a" * 3000,
        ):
            answer = as_kim.get(QUEUE, {name: value})
            assert answer.status_code == 200
            assert "<script>alert" not in answer.content.decode()
