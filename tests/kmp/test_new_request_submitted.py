"""The last step of `New request`: the review, submitting, and what other tabs and other companies may do."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.events import Actor
from certauthority.models import Authority
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from kmp import tasks
from kmp.models import Application, CertificateRequest, RequestState
from kmp.requests import cancel
from tests.kmp.factories import PORTAL_CLIENT, XBS, application_of, make_entry, make_officer
from tests.kmp.wizard import (
    browser,
    company_of,
    details,
    file_of,
    good_csr,
    make_acme,
    make_draft,
    make_two_officers,
    review_form,
    submitted,
    url,
)
from tests.page_text import text_of

A2A = "a2a-commerce-client"


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """The CA, and the applications of every site."""


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


class TestReview:
    def test_a_wrong_ou_is_stopped_with_the_attribute_named(self, as_olga: Client, olga: User) -> None:
        subject = [("O", "Acme Payments Ltd"), ("OU", "Payments"), ("CN", "MTF XBS"), ("C", "GB")]
        draft = make_draft(olga, XBS, csr=build_request(subject, new_private_key()))
        page = text_of(as_olga.get(url("request_review", draft.number)))
        assert "One attribute must change before you can submit: OU" in page
        assert "Write “Cross-Border Services” instead of “Payments”" in page
        assert "The corrected command" in page
        refused = as_olga.post(url("request_submit", draft.number), review_form(draft))
        assert refused.status_code == 200
        assert "It was not submitted." in text_of(refused)
        draft.refresh_from_db()
        assert draft.state == RequestState.DRAFT

    def test_submit_is_never_disabled(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga, csr=build_request([("CN", "x")], new_private_key()))
        assert "disabled" not in as_olga.get(url("request_review", draft.number)).content.decode()

    def test_a_twin_is_named_with_the_way_to_renew_it(self, as_olga: Client, olga: User) -> None:
        entry = make_entry(company_of(olga), XBS)
        draft = make_draft(olga, XBS)
        page = as_olga.get(url("request_review", draft.number))
        assert f"renew {entry.reference} instead" in text_of(page)
        assert url("entry_renew", entry.reference) in page.content.decode()

    def test_a_corrected_csr_is_reviewed_before_it_is_submitted(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga, csr=build_request([("CN", "x")], new_private_key()))
        form = review_form(draft, csr_file=file_of(good_csr(olga), "corrected.csr"), names="a.acme.example")
        response = as_olga.post(url("request_submit", draft.number), form)
        assert response.headers["Location"] == url("request_review", draft.number)
        page = text_of(as_olga.get(url("request_review", draft.number)))
        assert "Your new CSR is in place." in page
        assert "This CSR can be submitted" in page
        draft.refresh_from_db()
        assert (draft.state, draft.csr_name, draft.alternative_names) == (
            RequestState.DRAFT,
            "corrected.csr",
            ["a.acme.example"],
        )

    def test_check_again_keeps_everything_that_was_typed(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        form = review_form(draft, names="a.acme.example", contact="certs@acme.example")
        assert as_olga.post(url("request_review", draft.number), form).status_code == 302
        page = as_olga.get(url("request_review", draft.number)).content.decode()
        assert "a.acme.example" in page
        assert 'value="certs@acme.example"' in page
        assert "1 name understood." in page

    def test_each_bad_name_is_named_and_what_was_typed_stays(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        typed = "good.acme.example, *.acme.example, 192.0.2.1, münchen.example"
        page = as_olga.post(
            url("request_submit", draft.number), review_form(draft, names=typed, contact="new@acme.example")
        )
        text = text_of(page)
        assert "“*.acme.example” has a wildcard." in text
        assert "“192.0.2.1” is an IP address" in text
        assert typed in page.content.decode()
        draft.refresh_from_db()
        assert (draft.state, draft.alternative_names, draft.contact) == (RequestState.DRAFT, [], "new@acme.example")

    def test_names_of_every_language_become_a_labels(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        as_olga.post(
            url("request_submit", draft.number), review_form(draft, names="München.example,\n münchen.example")
        )
        draft.refresh_from_db()
        assert draft.alternative_names == ["xn--mnchen-3ya.example"]

    def test_more_than_fifty_names_are_refused(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        names = ", ".join(f"n{number}.acme.example" for number in range(51))
        page = text_of(as_olga.post(url("request_submit", draft.number), review_form(draft, names=names)))
        assert "There are 51 names. A certificate has at most 50." in page


class TestWhatTheCompanyLacks:
    """The banner's conditions refuse the submission, with the same sentence."""

    def test_fewer_than_two_officers(self) -> None:
        olga = make_officer(make_acme(), name="Olga Stern")
        draft = make_draft(olga)
        page = browser(olga).post(url("request_submit", draft.number), review_form(draft, names="a.acme.example"))
        assert "Acme Payments Ltd requires an additional security officer." in text_of(page)
        draft.refresh_from_db()
        assert (draft.state, draft.alternative_names) == (RequestState.DRAFT, ["a.acme.example"])

    def test_no_group_email(self) -> None:
        olga, _ = make_two_officers(make_acme(group_email=""))
        draft = make_draft(olga)
        page = browser(olga).post(url("request_submit", draft.number), review_form(draft))
        assert "Acme Payments Ltd has no Certificate Management Group Email." in text_of(page)
        draft.refresh_from_db()
        assert draft.state == RequestState.DRAFT

    def test_an_application_that_was_closed_meanwhile(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        Application.objects.filter(code=PORTAL_CLIENT).update(is_open=False)
        page = text_of(as_olga.post(url("request_submit", draft.number), review_form(draft)))
        assert "Developers portal client takes no requests at the moment." in page


class TestOtherTabs:
    """What happened in another tab, or to the access, is said, and nothing that was typed is lost."""

    def test_submit_pressed_twice_submits_once(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        for _ in range(2):
            response = as_olga.post(url("request_submit", draft.number), review_form(draft))
            assert response.headers["Location"] == url("request", draft.number)
        assert CertificateRequest.objects.get().state == RequestState.SUBMITTED

    def test_a_draft_cancelled_in_another_tab(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        as_olga.post(url("request_cancel", draft.number))
        page = as_olga.post(url("request_submit", draft.number), review_form(draft, names="typed.acme.example"))
        assert f"{draft.number} is cancelled now and cannot be changed any more." in text_of(page)
        assert "typed.acme.example" in page.content.decode()
        draft.refresh_from_db()
        assert (draft.state, draft.alternative_names) == (RequestState.CANCELLED, [])

    def test_a_draft_taken_over_in_another_tab(self, as_olga: Client, olga: User, piet: User) -> None:
        draft = make_draft(olga, csr=b"")
        browser(piet).post(url("request_take_over", draft.number))
        pasted = good_csr(olga).decode()
        page = as_olga.post(url("request_csr", draft.number), {"csr": pasted})
        assert f"{draft.number} is Piet Vos’s draft now. Take it over to change it." in text_of(page)
        assert pasted.splitlines()[1] in page.content.decode()
        draft.refresh_from_db()
        assert bytes(draft.csr) == b""

    def test_pages_of_a_draft_that_is_none_any_more_lead_to_the_request(self, as_olga: Client, olga: User) -> None:
        draft = submitted(make_draft(olga))
        for name in ("request_details", "request_csr", "request_review"):
            assert as_olga.get(url(name, draft.number)).headers["Location"] == url("request", draft.number)
        as_olga.post(url("request_csr", draft.number), {"csr": good_csr(olga).decode()})
        before = bytes(draft.csr)
        draft.refresh_from_db()
        assert bytes(draft.csr) == before

    def test_an_officer_whose_access_was_withdrawn_changes_nothing(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga)
        olga.access_requests.update(state="withdrawn")
        for name in ("request_csr", "request_review", "request_submit", "request_cancel", "request_take_over"):
            assert as_olga.post(url(name, draft.number), review_form(draft)).status_code == 404
        assert as_olga.post(url("request_new"), details()).status_code == 403
        draft.refresh_from_db()
        assert draft.state == RequestState.DRAFT


class TestOtherCompanies:
    def test_their_requests_do_not_exist(self, olga: User) -> None:
        draft = make_draft(olga)
        stranger = browser(make_officer())
        for name in ("request", "request_details", "request_csr", "request_review"):
            assert stranger.get(url(name, draft.number)).status_code == 404
        for name in ("request_csr", "request_review", "request_submit", "request_cancel", "request_take_over"):
            assert stranger.post(url(name, draft.number), review_form(draft)).status_code == 404
        assert stranger.post(url("request_correct", draft.number)).status_code == 404

    def test_their_forms_are_not_ours(self, as_olga: Client, olga: User) -> None:
        form = details()
        browser(make_officer()).post(url("request_new"), form)
        page = as_olga.post(url("request_new"), form)
        assert "This form was sent before. Open New request again and fill it anew." in text_of(page)
        assert not CertificateRequest.objects.filter(company=olga.company).exists()


def test_a_broker_that_is_down_at_submit_loses_nothing(
    as_olga: Client,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    draft = make_draft(olga)

    def away(*arguments: object, **named: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.process_request, "delay", away)
    monkeypatch.setattr(tasks.process_request, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        response = as_olga.post(url("request_submit", draft.number), review_form(draft), follow=True)
    text = text_of(response)
    assert "Submitted. It waits for the background work" in text
    draft.refresh_from_db()
    assert draft.state == RequestState.SUBMITTED
    assert draft.decide_at is not None, "the sweep finds it by this"
    assert mail.outbox == [], "mails wait in the database too"


def test_a_request_for_an_application_reviewed_by_hand_waits_for_key_management(as_olga: Client, olga: User) -> None:
    draft = make_draft(olga, A2A)
    page = text_of(as_olga.post(url("request_submit", draft.number), review_form(draft), follow=True))
    assert "It waits for Key Management" in page
    draft.refresh_from_db()
    assert draft.decide_at is None
    cancel(draft, by=olga, actor=Actor(olga.email), now=draft.changed_at)
    assert application_of(A2A).review == "manual"
