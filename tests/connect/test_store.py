"""Store and My Items: find an application, ask for it, see how that stands, cancel, give up."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect.access_requests import decide, withdraw
from connect.models import AccessRequest, AccessState, Company, User
from connect.officers import OFFICER_LEVEL, is_officer
from tests.connect.conftest import SignIn
from tests.connect.factories import grant_access, make_access_request, make_staff
from tests.factories import make_company, make_user
from tests.page_text import text_of

STORE, ITEMS, REQUEST = "/connect/store/", "/connect/items/", "/connect/store/kmp/request/"


@pytest.fixture
def as_dora(dora: User, sign_in: SignIn) -> Client:
    return sign_in(dora)


def names_on(response: Any) -> list[str]:
    return [card.application.code for card in response.context["cards"]]


class TestTheStore:
    def test_it_shows_a_card_for_each_application(self, as_dora: Client) -> None:
        page = as_dora.get(STORE)
        assert names_on(page) == ["kmp", "developers", "clinic", "trusted-cas"]
        assert "Request Key Management Portal (KMP)" in text_of(page)
        assert "Open Developers portal" in text_of(page)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("?capability=administration", ["kmp"]),
            ("?q=KEY+management", ["kmp"]),
            ("?q=certificate+PROJECTS", ["developers"]),
            ("?q=csr&capability=testing", ["clinic"]),
            ("?q=csr&capability=administration", []),
            ("?capability=nothing", []),
            ("?q=%3Cscript%3E", []),
            ("?q=++", ["kmp", "developers", "clinic", "trusted-cas"]),
        ],
    )
    def test_search_and_filter_stand_in_the_address(self, as_dora: Client, query: str, found: list[str]) -> None:
        page = as_dora.get(STORE + query)
        assert names_on(page) == found
        assert ("Nothing found" in text_of(page)) == (not found)
        assert "<script>" not in page.content.decode()

    def test_what_was_searched_for_stays_in_the_form(self, as_dora: Client) -> None:
        html = as_dora.get(f"{STORE}?q=key+portal&capability=administration").content.decode()
        assert 'value="key portal"' in html
        assert '<option value="administration" selected>Administration</option>' in html

    def test_htmx_gets_the_cards_alone(self, as_dora: Client) -> None:
        part = as_dora.get(f"{STORE}?q=clinic", headers={"HX-Request": "true"})
        assert part.content.decode().lstrip().startswith('<div class="stack" id="cards">')
        assert part["Vary"].count("HX-Request") == 1

    def test_queries_do_not_grow_with_requests(self, dora: User, as_dora: Client, kim: User) -> None:
        def count(url: str) -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert as_dora.get(url).status_code == 200
            return len(queries)

        as_dora.get(STORE)
        before = {url: count(url) for url in (STORE, ITEMS)}
        for _ in range(3):
            refuse(make_access_request(dora), by=kim)
        assert {url: count(url) for url in (STORE, ITEMS)} == before


def refuse(request: AccessRequest, *, by: User, reason: str = "Not yet") -> AccessRequest:
    return decide(request, by=by, grant=False, reason=reason, actor=Actor(by.email), now=timezone.now())


class TestAsking:
    def test_request_level_confirmation_track_status(self, as_dora: Client, sam: User, dora: User) -> None:
        page = as_dora.get(REQUEST)
        assert "Security Officer Level 1" in text_of(page)
        assert "Request access" in text_of(page)
        answer = as_dora.post(REQUEST, {"level": OFFICER_LEVEL}, follow=True)
        asked = AccessRequest.objects.get()
        assert (asked.user, asked.state) == (dora, AccessState.PENDING)
        assert answer.redirect_chain == [(f"{ITEMS}{asked.pk}/", 302)]
        text = text_of(answer)
        assert "You have requested access to the Key Management Portal (KMP)." in text
        assert "Sam Whitfield of Acme Payments Ltd can decide now." in text
        assert "Track status" in text
        listed = text_of(as_dora.get(ITEMS))
        assert "Access pending" in listed
        assert "Open Key Management" not in listed

    def test_a_company_without_administrator_is_told_that_staff_decide(self, as_dora: Client) -> None:
        text = text_of(as_dora.post(REQUEST, {"level": OFFICER_LEVEL}, follow=True))
        assert "The site’s staff can decide now, because Acme Payments Ltd has no Security Administrator." in text

    @pytest.mark.parametrize("level", ["", "root", "security-officer-1\x00", "é" * 10_000])
    def test_another_level_is_refused(self, as_dora: Client, level: str) -> None:
        answer = as_dora.post(REQUEST, {"level": level})
        assert answer.status_code == 200
        assert "Choose" in text_of(answer)
        assert not AccessRequest.objects.exists()

    def test_a_repeated_post_leads_to_the_one_request(self, as_dora: Client) -> None:
        answers = [as_dora.post(REQUEST, {"level": OFFICER_LEVEL}) for _ in range(2)]
        asked = AccessRequest.objects.get()
        assert [answer["Location"] for answer in answers] == [f"{ITEMS}{asked.pk}/"] * 2
        assert as_dora.get(REQUEST)["Location"] == f"{ITEMS}{asked.pk}/"
        assert AuditEvent.objects.filter(action="access.requested").count() == 1

    @pytest.mark.parametrize("application", ["developers", "clinic", "nothing"])
    def test_what_is_open_to_everybody_cannot_be_requested(self, as_dora: Client, application: str) -> None:
        assert as_dora.get(f"/connect/store/{application}/request/").status_code == 404
        assert as_dora.post(f"/connect/store/{application}/request/", {"level": OFFICER_LEVEL}).status_code == 404

    def test_who_belongs_to_no_company_is_told_so(self, kim: User, sign_in: SignIn) -> None:
        client = sign_in(kim)
        assert "Your account belongs to no company." in text_of(client.get(REQUEST))
        assert "belongs to no company" in text_of(client.post(REQUEST, {"level": OFFICER_LEVEL}))
        assert not AccessRequest.objects.exists()


class TestMyItems:
    def test_granted_can_be_opened(self, as_dora: Client, dora: User) -> None:
        grant_access(dora)
        text = text_of(as_dora.get(ITEMS))
        assert "Granted" in text
        assert "Open Key Management Portal (KMP)" in text
        assert "Request Key" not in text
        assert "Open Key Management Portal (KMP)" in text_of(as_dora.get(STORE))

    def test_refused_shows_the_reason_and_can_be_requested_again(self, as_dora: Client, dora: User, kim: User) -> None:
        refuse(make_access_request(dora), by=kim, reason="Two officers are <enough>")
        page = as_dora.get(ITEMS)
        assert "Your request was refused. Reason: Two officers are <enough> Kim Adeyemi" in text_of(page)
        assert "Request Key Management Portal (KMP)" in text_of(page)
        assert "Two officers are <enough>" in text_of(as_dora.get(REQUEST))
        as_dora.post(REQUEST, {"level": OFFICER_LEVEL})
        assert "Access pending" in text_of(as_dora.get(ITEMS))
        assert "Two officers" not in text_of(as_dora.get(ITEMS))

    def test_withdrawn_shows_the_reason(self, as_dora: Client, dora: User, kim: User) -> None:
        withdraw(grant_access(dora, by=kim), by=kim, reason="New team", actor=Actor(kim.email), now=timezone.now())
        assert "Your access was withdrawn. Reason: New team" in text_of(as_dora.get(ITEMS))

    def test_without_a_request_only_what_is_open_to_everybody(self, as_dora: Client) -> None:
        page = as_dora.get(ITEMS)
        assert names_on(page) == ["developers", "clinic", "trusted-cas"]

    def test_what_was_granted_at_another_company_is_not_here(self, as_dora: Client, dora: User) -> None:
        grant_access(dora)
        dora.company = make_company()
        dora.save()
        assert names_on(as_dora.get(ITEMS)) == ["developers", "clinic", "trusted-cas"]
        assert "Request Key Management" in text_of(as_dora.get(STORE))

    def test_the_way_to_the_inbox_is_for_who_decides(self, as_dora: Client, sam: User, sign_in: SignIn) -> None:
        assert "/connect/inbox/" not in as_dora.get(ITEMS).content.decode()
        assert "/connect/inbox/" in sign_in(sam).get(ITEMS).content.decode()


class TestCancelling:
    def test_a_pending_request(self, as_dora: Client, dora: User) -> None:
        asked = make_access_request(dora)
        answer = as_dora.post(f"{ITEMS}{asked.pk}/cancel/", follow=True)
        assert "Your request is cancelled." in text_of(answer)
        assert "Access pending" not in text_of(answer)
        asked.refresh_from_db()
        assert asked.state == AccessState.CANCELLED

    def test_one_that_was_granted_meanwhile(self, as_dora: Client, dora: User) -> None:
        granted = grant_access(dora)
        answer = as_dora.post(f"{ITEMS}{granted.pk}/cancel/", follow=True)
        assert "Nothing was changed: the request is granted" in text_of(answer)
        assert is_officer(dora)

    def test_get_and_a_missing_token_are_refused(self, as_dora: Client, dora: User) -> None:
        url = f"{ITEMS}{make_access_request(dora).pk}/cancel/"
        assert as_dora.get(url).status_code == 405
        client = Client(enforce_csrf_checks=True)
        client.force_login(dora)
        assert client.post(url).status_code == 403
        assert AccessRequest.objects.get().state == AccessState.PENDING


class TestGivingUp:
    def test_with_a_reason(self, as_dora: Client, dora: User) -> None:
        url = f"{ITEMS}{grant_access(dora).pk}/give-up/"
        assert "Give a reason." in text_of(as_dora.post(url, {"reason": " "}))
        assert is_officer(dora)
        answer = as_dora.post(url, {"reason": "Other\r\nwork"}, follow=True)
        assert "You have given up access" in text_of(answer)
        assert "You gave up your access. Reason: Other work" in text_of(answer)
        assert not is_officer(dora)
        assert "is withdrawn by Dora Lind" in text_of(as_dora.post(url, {"reason": "Again"}))


class TestOthers:
    def test_requests_of_other_people_do_not_exist(self, acme: Company, as_dora: Client) -> None:
        staff = make_staff()
        others = [grant_access(make_user(company=acme), by=staff), make_access_request(make_user())]
        for key in [*(other.pk for other in others), uuid.uuid4()]:
            assert as_dora.get(f"{ITEMS}{key}/").status_code == 404
            assert as_dora.post(f"{ITEMS}{key}/cancel/").status_code == 404
            assert as_dora.get(f"{ITEMS}{key}/give-up/").status_code == 404
            assert as_dora.post(f"{ITEMS}{key}/give-up/", {"reason": "Mine"}).status_code == 404
        states = set(AccessRequest.objects.values_list("state", flat=True))
        assert states == {AccessState.GRANTED, AccessState.PENDING}
