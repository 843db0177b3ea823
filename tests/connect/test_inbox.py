"""The inbox of a Security Administrator, and of staff for companies that have none."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connect.models import AccessRequest, AccessState, User
from connect.officers import is_officer
from tests.connect.conftest import SignIn
from tests.connect.factories import grant_access, make_access_request, make_security_administrator
from tests.factories import make_user
from tests.page_text import text_of

INBOX = "/connect/inbox/"


@pytest.fixture
def as_sam(sam: User, sign_in: SignIn) -> Client:
    return sign_in(sam)


@pytest.fixture
def asked(sam: User, dora: User) -> AccessRequest:
    return make_access_request(dora, now=timezone.now() - timedelta(days=2, hours=3))


def url(request: AccessRequest, what: str = "") -> str:
    return f"{INBOX}{request.pk}/{what}"


def people_on(response: Any) -> list[str]:
    return [row[0].user.email for row in response.context["rows"]]


class TestTheList:
    def test_it_shows_who_waits_with_age_oldest_first(self, as_sam: Client, asked: AccessRequest, sam: User) -> None:
        new = make_access_request(make_user(company=sam.company, email="new@acme.example"))
        page = as_sam.get(INBOX)
        assert people_on(page) == ["dora@acme.example", "new@acme.example"]
        assert "2 days" in text_of(page)
        assert "less than a minute" in text_of(page)
        assert "Dora Lind" in text_of(page)
        assert url(new) in page.content.decode()

    def test_it_shows_nobody_of_another_company_and_not_oneself(
        self, as_sam: Client, sam: User, asked: AccessRequest
    ) -> None:
        make_access_request(make_user())
        make_access_request(make_security_administrator().company.users.get())  # type: ignore[union-attr]
        make_access_request(sam)
        assert people_on(as_sam.get(INBOX)) == ["dora@acme.example"]

    def test_staff_see_companies_without_an_administrator(
        self, kim: User, sign_in: SignIn, asked: AccessRequest, sam: User
    ) -> None:
        orphan = make_access_request(make_user(email="orphan@globex.example"))
        mine = make_access_request(sam)
        as_kim = sign_in(kim)
        assert people_on(as_kim.get(INBOX)) == ["orphan@globex.example", sam.email]
        assert as_kim.get(url(orphan)).status_code == as_kim.get(url(mine)).status_code == 200
        assert as_kim.get(url(asked)).status_code == 404

    def test_the_filter_stands_in_the_address(self, as_sam: Client, asked: AccessRequest, sam: User) -> None:
        grant_access(make_user(company=sam.company, email="granted@acme.example"), by=sam)
        assert people_on(as_sam.get(f"{INBOX}?show=granted")) == ["granted@acme.example"]
        assert people_on(as_sam.get(f"{INBOX}?show=closed")) == []
        assert people_on(as_sam.get(f"{INBOX}?show=nonsense")) == ["dora@acme.example"]

    def test_queries_do_not_grow_and_pages_turn(self, as_sam: Client, asked: AccessRequest, sam: User) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as found:
                assert as_sam.get(INBOX).status_code == 200
            return len(found)

        as_sam.get(INBOX)
        before = queries()
        for _ in range(29):
            make_access_request(make_user(company=sam.company))
        assert queries() == before
        assert len(people_on(as_sam.get(INBOX))) == 25
        assert len(people_on(as_sam.get(f"{INBOX}?page=2"))) == 5
        assert people_on(as_sam.get(f"{INBOX}?page=x"))

    def test_others_are_told_where_to_look(self, dora: User, sign_in: SignIn) -> None:
        answer = sign_in(dora).get(INBOX)
        assert answer.status_code == 403
        assert "My Items" in text_of(answer)


class TestDeciding:
    def test_approve(self, as_sam: Client, asked: AccessRequest, dora: User) -> None:
        page = text_of(as_sam.get(url(asked)))
        assert "Dora Lind requests access" in page
        assert "waiting for 2 days" in page
        answer = as_sam.post(url(asked), {"decision": "yes"}, follow=True)
        assert answer.redirect_chain == [(INBOX, 302)]
        assert "You have approved the request of Dora Lind." in text_of(answer)
        assert "Nobody waits" in text_of(answer)
        assert is_officer(dora)

    def test_refuse_with_a_reason(self, as_sam: Client, asked: AccessRequest) -> None:
        answer = as_sam.post(url(asked), {"decision": "no", "reason": ""})
        assert "Give a reason: the other side reads it." in text_of(answer)
        asked.refresh_from_db()
        assert asked.state == AccessState.PENDING
        as_sam.post(url(asked), {"decision": "no", "reason": "Not\nnow"})
        asked.refresh_from_db()
        assert (asked.state, asked.reason) == (AccessState.REFUSED, "Not now")

    @pytest.mark.parametrize(
        ("form", "sentence"),
        [
            ({}, "Press one of the two buttons."),
            ({"decision": "maybe", "reason": "x"}, "Press one of the two buttons."),
            ({"decision": "yes", "reason": "x" * 501}, "at most 500 characters"),
            ({"decision": "yes", "reason": "a\u202eb"}, "U+202E"),
            (
                {"decision": "no", "reason": "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----"},
                "private",
            ),
        ],
    )
    def test_a_bad_form_decides_nothing(
        self, as_sam: Client, asked: AccessRequest, form: dict[str, str], sentence: str
    ) -> None:
        answer = as_sam.post(url(asked), form)
        assert answer.status_code == 200
        assert sentence in text_of(answer)
        assert "MC4CAQ" not in answer.content.decode()
        asked.refresh_from_db()
        assert asked.state == AccessState.PENDING

    def test_a_repeated_post_is_told_how_it_stands(self, as_sam: Client, asked: AccessRequest) -> None:
        as_sam.post(url(asked), {"decision": "yes"})
        answer = as_sam.post(url(asked), {"decision": "no", "reason": "Late"})
        assert answer.status_code == 200
        assert "Nothing was changed: the request is granted by Sam Whitfield." in text_of(answer)
        assert "Approve" not in text_of(answer)
        asked.refresh_from_db()
        assert (asked.state, asked.reason) == (AccessState.GRANTED, "")

    def test_ones_own_request_is_not_in_the_inbox(self, as_sam: Client, sam: User) -> None:
        own = make_access_request(sam)
        assert as_sam.get(url(own)).status_code == 404
        assert as_sam.post(url(own), {"decision": "yes"}).status_code == 404
        own.refresh_from_db()
        assert own.state == AccessState.PENDING

    @pytest.mark.parametrize("what", ["", "withdraw/"])
    def test_who_may_not_decide_finds_nothing(self, sam: User, dora: User, sign_in: SignIn, what: str) -> None:
        granted = grant_access(dora, by=sam)
        elsewhere = make_security_administrator()
        for user in (dora, make_user(company=sam.company), elsewhere):
            client = sign_in(user)
            assert client.get(url(granted, what)).status_code == 404
            assert client.post(url(granted, what), {"decision": "yes", "reason": "x"}).status_code == 404
            assert client.get(f"{INBOX}{uuid.uuid4()}/{what}").status_code == 404
        assert is_officer(dora)


class TestWithdrawing:
    def test_with_a_reason(self, as_sam: Client, sam: User, dora: User) -> None:
        granted = grant_access(dora, by=sam)
        assert "Withdraw access" in text_of(as_sam.get(url(granted)))
        page = text_of(as_sam.get(url(granted, "withdraw/")))
        assert "Drafts of requests wait until Acme Payments Ltd has another security officer." in page
        assert "Acme Payments Ltd then has 0 security officers." in page
        assert "Give a reason." in text_of(as_sam.post(url(granted, "withdraw/"), {"reason": ""}))
        assert is_officer(dora)
        answer = as_sam.post(url(granted, "withdraw/"), {"reason": "Left"}, follow=True)
        assert "Dora Lind has no access any more." in text_of(answer)
        assert not is_officer(dora)
        again = as_sam.post(url(granted, "withdraw/"), {"reason": "Left"})
        assert "the request is withdrawn by Sam Whitfield" in text_of(again)
        assert "There is no access that could be withdrawn." in text_of(again)

    def test_what_becomes_of_drafts_is_said_as_it_is(self, as_sam: Client, sam: User, dora: User) -> None:
        granted = grant_access(dora, by=sam)
        grant_access(make_user(company=dora.company), by=sam)
        page = text_of(as_sam.get(url(granted, "withdraw/")))
        assert "Drafts of requests go to another security officer." in page
        assert "wait until" not in page
        AccessRequest.objects.filter(pk=granted.pk).update(application="another")
        assert "Drafts" not in text_of(as_sam.get(url(granted, "withdraw/")))
