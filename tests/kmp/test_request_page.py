"""The page of one request: its progress, its history, and what its officer may do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority
from connect.models import User
from kmp.models import Application, CertificateRequest, RequestState
from kmp.requests import begin_review, reject
from tests.kmp.factories import make_entry
from tests.kmp.wizard import browser, company_of, ended, make_draft, make_renewal, make_two_officers, submitted, url
from tests.page_text import text_of

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """Certificates of the inventory are really signed."""


@pytest.fixture
def officers() -> tuple[User, User]:
    return make_two_officers()


@pytest.fixture
def olga(officers: tuple[User, User]) -> User:
    return officers[0]


@pytest.fixture
def piet(officers: tuple[User, User]) -> User:
    return officers[1]


@pytest.fixture
def as_olga(olga: User) -> Client:
    return browser(olga)


def rejected(request: CertificateRequest, reason: str = "The contact does not answer.") -> CertificateRequest:
    return reject(request, reason=reason, decided_by="Kay", actor=Actor("kay@site.example"), now=timezone.now())


class TestOne:
    def test_the_way_is_drawn(self, as_olga: Client, olga: User) -> None:
        request = submitted(make_draft(olga))
        page = as_olga.get(url("request", request.number)).content.decode()
        steps = page.partition('aria-label="States">')[2].partition("</ol>")[0]
        assert [part.partition(">")[0] for part in steps.split("<li")[1:]] == [
            ' class="done"',
            ' aria-current="step"',
            "",
            "",
        ]

    def test_history_says_who_did_what_and_when(self, as_olga: Client, olga: User, piet: User) -> None:
        draft = make_draft(olga)
        browser(piet).post(url("request_take_over", draft.number))
        draft.refresh_from_db()
        rejected(begin_review(submitted(draft), actor=Actor("kay@site.example"), now=timezone.now()))
        text = text_of(as_olga.get(url("request", draft.number)))
        told = (
            "Rejected the request",
            "Began the review",
            "Submitted the request",
            "Handed over to piet@acme.example",
            "Changed the draft",
            "Started the request",
        )
        places = [text.index(sentence) for sentence in told]
        assert places == sorted(places), "the newest comes first"
        for person in ("kay@site.example", "piet@acme.example", "olga@acme.example"):
            assert person in text

    def test_it_links_the_certificate_that_was_signed(self, as_olga: Client, olga: User) -> None:
        entry = make_entry(company_of(olga))
        request = ended(submitted(make_draft(olga)), RequestState.SIGNED, entry=entry)
        page = as_olga.get(url("request", request.number))
        assert url("entry", entry.reference) in page.content.decode()
        assert f"Signed: {entry.reference}" in text_of(page)

    def test_what_may_be_done_depends_on_whose_it_is(self, as_olga: Client, olga: User, piet: User) -> None:
        mine, his = make_draft(olga), make_draft(piet)
        page = text_of(as_olga.get(url("request", mine.number)))
        assert "Go on" in page
        assert "Cancel the request" in page
        assert "Take over" not in page
        page = text_of(as_olga.get(url("request", his.number)))
        assert "Piet Vos has this draft" in page
        assert "Take over" in page
        assert "Cancel the request" not in page


class TestProgress:
    def test_a_request_on_its_way_asks_again_until_it_has_ended(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        assert "hx-trigger" not in as_olga.get(url("request", draft.number)).content.decode()
        request = submitted(draft)
        address = url("request", request.number)
        assert f'hx-get="{address}?seen=submitted" hx-trigger="every 2s"' in as_olga.get(address).content.decode()
        assert as_olga.get(address, {"seen": "submitted"}, headers=HTMX).status_code == 204

        request = begin_review(request, actor=Actor("x"), now=timezone.now())
        part = as_olga.get(address, {"seen": "submitted"}, headers=HTMX).content.decode()
        assert part.lstrip().startswith('<div class="stack" id="request"')
        assert f'hx-get="{address}?seen=in-review"' in part
        assert "In review" in part

        ended(request, RequestState.SIGNED, entry=make_entry(company_of(olga)))
        part = as_olga.get(address, {"seen": "in-review"}, headers=HTMX).content.decode()
        assert "hx-trigger" not in part
        assert "data-announce>Signed" in part

    def test_without_script_the_whole_page_says_the_same(self, as_olga: Client, olga: User) -> None:
        request = submitted(make_draft(olga))
        page = as_olga.get(url("request", request.number), {"seen": "submitted"})
        assert page.status_code == 200
        assert "It waits for the background work" in text_of(page)
        assert "load it again" in text_of(page)

    def test_a_request_that_is_late_is_said_to_be(self, as_olga: Client, olga: User) -> None:
        request = submitted(make_draft(olga), now=timezone.now() - timedelta(minutes=5))
        page = as_olga.get(url("request", request.number), {"seen": "submitted"}, headers=HTMX)
        assert "It still waits for the background work" in text_of(page)
        assert as_olga.get(url("request", request.number), {"seen": "submitted-late"}, headers=HTMX).status_code == 204


class TestCancel:
    @pytest.mark.parametrize("state", ["draft", "submitted", "in-review"])
    def test_its_officer_cancels_it_before_it_is_signed(self, as_olga: Client, olga: User, state: str) -> None:
        request = make_draft(olga)
        if state != "draft":
            request = submitted(request)
        if state == "in-review":
            begin_review(request, actor=Actor("x"), now=timezone.now())
        for _ in range(2):
            assert as_olga.post(url("request_cancel", request.number)).status_code == 302
        request.refresh_from_db()
        assert (request.state, request.decided_by, request.decide_at) == ("cancelled", "Olga Stern", None)
        page = text_of(as_olga.get(url("request", request.number)))
        assert "Nothing was signed for it." in page

    def test_nobody_else_does(self, olga: User, piet: User) -> None:
        request = submitted(make_draft(olga))
        page = text_of(browser(piet).post(url("request_cancel", request.number), follow=True))
        assert f"{request.number} is Olga Stern’s request, and only its officer cancels it." in page
        request.refresh_from_db()
        assert request.state == RequestState.SUBMITTED

    def test_one_that_was_signed_meanwhile_stays(self, as_olga: Client, olga: User) -> None:
        request = ended(submitted(make_draft(olga)), RequestState.SIGNED, entry=make_entry(company_of(olga)))
        page = text_of(as_olga.post(url("request_cancel", request.number), follow=True))
        assert f"{request.number} was signed meanwhile and cannot be cancelled." in page

    def test_a_cancelled_renewal_leaves_the_certificate_to_another(self, as_olga: Client, olga: User) -> None:
        entry = make_entry(company_of(olga))
        first = make_renewal(olga, entry)
        as_olga.post(url("request_cancel", first.number))
        assert make_renewal(olga, entry).number != first.number


class TestCorrectAndSubmitAgain:
    def test_the_reason_is_told_and_a_new_draft_holds_everything(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        draft.alternative_names, draft.contact = ["a.acme.example"], "certs@acme.example"
        draft.save()
        old = rejected(submitted(draft), "The OU is not a team <b>of yours</b>.")
        page = as_olga.get(url("request", old.number))
        assert "Rejected by Kay" in text_of(page)
        assert "not a team &lt;b&gt;of yours" in page.content.decode()
        assert "Correct and submit again" in text_of(page)
        key = page.context["correction"].initial["key"]
        locations = {as_olga.post(url("request_correct", old.number), {"key": key}).headers["Location"] for _ in "12"}
        new = CertificateRequest.objects.exclude(pk=old.pk).get()
        assert locations == {url("request_csr", new.number)}
        assert (new.state, new.officer, new.application, new.environment) == ("draft", olga, old.application, "mtf")
        assert (bytes(new.csr), new.csr_name, new.common_name) == (bytes(old.csr), old.csr_name, old.common_name)
        assert (new.alternative_names, new.contact) == (["a.acme.example"], "certs@acme.example")

    def test_a_renewal_is_corrected_as_a_renewal(self, as_olga: Client, olga: User) -> None:
        entry = make_entry(company_of(olga))
        old = rejected(submitted(make_renewal(olga, entry)))
        for _ in range(2):
            as_olga.post(url("request_correct", old.number))
        new = CertificateRequest.objects.exclude(pk=old.pk).get()
        assert (new.kind, new.expiring, bytes(new.csr)) == ("renewal", entry, bytes(old.csr))

    def test_another_officer_who_began_the_renewal_again_is_named(
        self, as_olga: Client, olga: User, piet: User
    ) -> None:
        entry = make_entry(company_of(olga))
        old = rejected(submitted(make_renewal(olga, entry)))
        draft = make_renewal(piet, entry)
        page = text_of(as_olga.post(url("request_correct", old.number), follow=True))
        assert f"Piet Vos is renewing this certificate with {draft.number}." in page

    def test_only_a_rejected_one_is_corrected(self, as_olga: Client, olga: User) -> None:
        request = submitted(make_draft(olga))
        page = text_of(as_olga.post(url("request_correct", request.number), follow=True))
        assert f"{request.number} is submitted, and only a rejected request is corrected." in page
        assert CertificateRequest.objects.count() == 1
