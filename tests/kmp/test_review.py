"""The review of one request: what Key Management sees, and decides; nobody else, never twice, never on their own."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import SYSTEM, Actor
from certauthority import issuance
from certauthority.errors import SigningUnavailable
from certauthority.models import Authority, Certificate, RevocationReason
from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from connect.models import User
from kmp import automatic_review, key_management
from kmp.entries import revoke
from kmp.errors import OwnRequest, WrongState
from kmp.models import Application, CertificateRequest, Environment, InventoryEntry, RequestState
from kmp.requests import cancel
from tests.connect.factories import make_staff
from tests.hostile.traces import fingerprint_of_database
from tests.kmp.decisions import (
    A2A,
    REASON,
    actions_of,
    assert_signed_once,
    in_review,
    make_submitted,
    make_submitted_renewal,
    reason_of,
    state_of,
    told_of,
)
from tests.kmp.factories import make_entry
from tests.kmp.wizard import browser, company_of, make_draft, make_two_officers
from tests.page_text import text_of
from tests.portal.credential_pages import PRIVATE_KEY

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


def page_of(request: CertificateRequest) -> str:
    return reverse("kmp:review", args=[request.number])


def press(client: Client, request: CertificateRequest, decision: str, reason: str = "") -> Any:
    return client.post(page_of(request), {"decision": decision, "reason": reason})


class TestOneRequest:
    def test_it_shows_what_a_decision_needs(self, as_kim: Client, olga: User) -> None:
        expiring = make_entry(company_of(olga), A2A)
        request = make_submitted_renewal(olga, expiring)
        text = text_of(as_kim.get(page_of(request)))
        for shown in (
            "Acme Payments Ltd",
            "CID 123456, verified",
            "Olga Stern",
            "olga@acme.example",
            "Begin review",
            "It can be signed",
            "Attribute by attribute",
            "Expiring certificate",
            expiring.reference,
            "DN Requirements",
            "Rules for the CSR",
            "-----BEGIN CERTIFICATE REQUEST-----",
            "Submitted the request",
            "A new key, as it should be",
        ):
            assert shown in text, shown
        assert "Your CSR" not in text

    def test_begin_sign_and_the_outcome(self, as_kim: Client, olga: User) -> None:
        request = make_submitted(olga, A2A)
        begun = as_kim.post(page_of(request), {"decision": "begin"}, follow=True)
        assert state_of(request) == RequestState.IN_REVIEW
        assert "Sign" in text_of(begun)
        done = as_kim.post(page_of(request), {"decision": "sign", "reason": ""}, follow=True)
        assert_signed_once(request)
        entry = InventoryEntry.objects.get()
        assert f"{request.number} was signed as {entry.reference}." in text_of(done)
        assert "Kim Adeyemi, Key Management" in text_of(done)
        assert 'name="decision"' not in done.content.decode()

    def test_reject_needs_a_reason_which_everybody_is_told(self, as_kim: Client, kim: User, olga: User) -> None:
        request = in_review(make_submitted(olga, A2A), kim)
        assert "Say why" in text_of(press(as_kim, request, "reject", " "))
        assert "U+202E cannot be used" in text_of(press(as_kim, request, "reject", "x\u202ey"))
        assert "at most 500" in text_of(press(as_kim, request, "reject", "x" * 501))
        assert state_of(request) == RequestState.IN_REVIEW
        assert press(as_kim, request, "reject", REASON).status_code == 302
        assert reason_of(request) == REASON
        told = told_of(request, "kmp.request-rejected")
        assert {address for address, _ in told} == {
            "olga@acme.example",
            "piet@acme.example",
            "certificates@acme.example",
        }
        assert REASON in text_of(as_kim.get(page_of(request)))

    def test_a_private_key_as_reason_is_named_and_never_shown_again(
        self, as_kim: Client, kim: User, olga: User
    ) -> None:
        request = in_review(make_submitted(olga, A2A), kim)
        answer = press(as_kim, request, "reject", PRIVATE_KEY)
        assert PRIVATE_KEY_MESSAGE in text_of(answer)
        assert "BEGIN" not in text_of(answer).replace("-----BEGIN CERTIFICATE REQUEST-----", "")
        assert state_of(request) == RequestState.IN_REVIEW

    def test_a_reason_beside_sign_is_a_slip(self, as_kim: Client, kim: User, olga: User) -> None:
        request = in_review(make_submitted(olga, A2A), kim)
        assert "you pressed Sign" in text_of(press(as_kim, request, "sign", REASON))
        assert state_of(request) == RequestState.IN_REVIEW

    @pytest.mark.parametrize("decision", ["", "approve", "SIGN"])
    def test_without_a_button_nothing_is_decided(self, as_kim: Client, kim: User, olga: User, decision: str) -> None:
        request = in_review(make_submitted(olga, A2A), kim)
        before = fingerprint_of_database()
        assert "Press one of the buttons" in text_of(press(as_kim, request, decision))
        assert fingerprint_of_database() == before

    @pytest.mark.parametrize("decision", ["sign", "reject"])
    def test_before_the_review_has_begun_nothing_is_decided(self, as_kim: Client, olga: User, decision: str) -> None:
        request = make_submitted(olga, A2A)
        reason = REASON if decision == "reject" else ""
        assert "has not begun" in text_of(press(as_kim, request, decision, reason))
        assert state_of(request) == RequestState.SUBMITTED

    def test_what_changed_meanwhile_is_said_and_is_the_reason_to_reject(
        self, as_kim: Client, kim: User, olga: User
    ) -> None:
        expiring = make_entry(company_of(olga), A2A)
        request = in_review(make_submitted_renewal(olga, expiring), kim)
        revoke(expiring, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=timezone.now())
        refused = press(as_kim, request, "sign")
        sentence = f"{expiring.reference} was revoked. A revoked certificate is never renewed"
        assert "Nothing was signed." in text_of(refused)
        assert state_of(request) == RequestState.IN_REVIEW
        shown = as_kim.get(page_of(request))
        assert text_of(shown).count(sentence) == 2, "in the alert, and in the box for the reason"
        assert 'value="sign"' not in shown.content.decode()
        assert press(as_kim, request, "reject", shown.context["form"].initial["reason"]).status_code == 302
        assert sentence in reason_of(request)

    def test_a_ca_that_cannot_sign_leaves_the_request_waiting(
        self, as_kim: Client, kim: User, olga: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = in_review(make_submitted(olga, A2A), kim)

        def away(*arguments: object, **options: object) -> Certificate:
            raise SigningUnavailable("The key file kmp.key.pem of the CA cannot be read.")

        monkeypatch.setattr(issuance, "issue", away)
        response = press(as_kim, request, "sign")
        assert response.status_code == 503
        text = text_of(response)
        assert "The CA cannot sign now, and the request waits as before. The key file" in text
        assert state_of(request) == RequestState.IN_REVIEW

    def test_who_comes_second_is_told_who_was_faster(self, as_kim: Client, kim: User, olga: User) -> None:
        request = make_submitted(olga, A2A)
        lee = make_staff(email="lee@site.example", name="Lee Okoro")
        as_lee = browser(lee)
        press(as_kim, request, "begin")
        assert press(as_lee, request, "begin").status_code == 302
        assert actions_of(request).count("in-review") == 1
        press(as_lee, request, "sign")
        for decision, reason in [("sign", ""), ("reject", REASON), ("begin", "")]:
            text = text_of(press(as_kim, request, decision, reason))
            assert f"{request.number} was signed by Lee Okoro, Key Management meanwhile. Nothing was changed." in text
        assert_signed_once(request)

    def test_an_automatic_request_may_be_decided_by_hand_once(self, as_kim: Client, olga: User) -> None:
        request = make_submitted(olga)
        assert "The automatic review decides on this request" in text_of(as_kim.get(page_of(request)))
        press(as_kim, request, "begin")
        press(as_kim, request, "sign")
        automatic_review.process(request.pk, now=timezone.now())
        assert_signed_once(request)

    def test_drafts_and_what_does_not_exist_are_404(self, as_kim: Client, olga: User) -> None:
        draft = make_draft(olga)
        cancelled = cancel(make_draft(olga), by=olga, actor=SYSTEM, now=timezone.now())
        for number in (draft.number, cancelled.number, "REQ-99999999", "REQ-1", "x"):
            assert as_kim.get(f"{QUEUE}{number}/").status_code == 404
            assert as_kim.post(f"{QUEUE}{number}/", {"decision": "begin"}).status_code == 404

    def test_only_staff_see_it(self, olga: User) -> None:
        request = make_submitted(olga, A2A)
        for address in (QUEUE, page_of(request), f"{QUEUE}REQ-99999999/"):
            assert browser(olga).get(address).status_code == 403
            assert Client().get(address).status_code == 302
        assert press(browser(olga), request, "begin").status_code == 403
        assert state_of(request) == RequestState.SUBMITTED


class TestNobodyDecidesOnTheirOwn:
    def test_staff_of_the_same_company_are_refused_and_told_so(self, olga: User) -> None:
        request = make_submitted(olga, A2A)
        colleague = make_staff(company=company_of(olga), email="both@acme.example")
        client = browser(colleague)
        page = client.get(page_of(request))
        assert "You belong to Acme Payments Ltd, and nobody decides" in text_of(page)
        assert 'name="decision"' not in page.content.decode()
        for decision, reason in [("begin", ""), ("sign", ""), ("reject", REASON)]:
            before = fingerprint_of_database()
            assert "nobody decides on a request of their own company" in text_of(
                press(client, request, decision, reason)
            )
            assert fingerprint_of_database() == before

    def test_an_officer_who_became_staff_is_refused_wherever_they_work_now(self, olga: User) -> None:
        request = make_submitted(olga, A2A)
        User.objects.filter(pk=olga.pk).update(is_staff=True, company=None)
        olga.refresh_from_db()
        with pytest.raises(OwnRequest, match="This is your own request"):
            in_review(request, olga)


@pytest.mark.postgresql
class TestAtTheSameMoment:
    ROUNDS = 4

    def test_two_of_the_staff_decide_once(self, transactional_db: None, kim: User, olga: User) -> None:
        lee = make_staff(email="lee@site.example", name="Lee Okoro")
        for number in range(self.ROUNDS):
            request = in_review(make_submitted(olga, A2A, Environment.MTF), kim)
            decisions = [(kim, "sign", ""), (lee, *(("reject", REASON) if number % 2 else ("sign", "")))]
            answers = self._both(request, decisions)
            assert sorted(answers) == [200, 302], "one decided, and one was told"
            if state_of(request) == RequestState.SIGNED:
                assert_signed_once(request)
            else:
                assert actions_of(request)[-1] == "rejected"
                assert not InventoryEntry.objects.filter(pk=request.pk).exists()

    def _both(self, request: CertificateRequest, decisions: list[tuple[User, str, str]]) -> list[int]:
        barrier, answers = threading.Barrier(2), []
        clients = [browser(user) for user, _, _ in decisions]

        def send(client: Client, decision: str, reason: str) -> None:
            try:
                barrier.wait(10)
                answers.append(int(press(client, request, decision, reason).status_code))
            finally:
                connection.close()

        threads = [
            threading.Thread(target=send, args=(client, decision, reason))
            for client, (_, decision, reason) in zip(clients, decisions, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return answers


def test_the_use_case_itself_refuses_a_request_that_was_cancelled(kim: User, olga: User) -> None:
    request = in_review(make_submitted(olga, A2A), kim)
    cancel(request, by=olga, actor=Actor(olga.email), now=timezone.now())
    with pytest.raises(WrongState, match="was cancelled by Olga Stern meanwhile"):
        key_management.sign(request, by=kim, actor=Actor(kim.email), now=timezone.now())
