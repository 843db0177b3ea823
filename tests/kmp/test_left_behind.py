"""Requests of officers who are none any more, and who is told when a draft changes hands."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority
from connect.access_requests import withdraw
from connect.models import AccessRequest, Channel, Notice, User
from kmp import hand_over
from kmp.drafts import start_renewal
from kmp.errors import RenewalTaken, WrongState
from kmp.models import CertificateRequest, RequestState
from kmp.requests import begin_review, cancel
from tests.connect.factories import make_staff
from tests.kmp.decisions import A2A, state_of
from tests.kmp.factories import make_entry, make_officer
from tests.kmp.wizard import GROUP, browser, company_of, make_draft, make_renewal, make_two_officers, submitted, url
from tests.page_text import text_of

HANDED_OVER = "kmp.draft-handed-over"


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
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


def left(officer: User) -> None:
    """The officer's access is withdrawn, as Connect does it."""
    access = AccessRequest.objects.get(user=officer)
    by = access.decided_by
    assert by is not None
    withdraw(access, by=by, reason="Moved to another team", actor=Actor(by.email), now=timezone.now())


def deactivated(officer: User) -> None:
    User.objects.filter(pk=officer.pk).update(is_active=False)


def told(kind: str = HANDED_OVER) -> list[tuple[str, str]]:
    return sorted(Notice.objects.filter(kind=kind).values_list("address", "channel"))


class TestUndecided:
    @pytest.mark.parametrize("go", [left, deactivated])
    @pytest.mark.parametrize("state", [RequestState.SUBMITTED, RequestState.IN_REVIEW])
    def test_another_officer_cancels_it(self, olga: User, piet: User, go: object, state: str) -> None:
        request = submitted(make_draft(olga, A2A))
        if state == RequestState.IN_REVIEW:
            begin_review(request, actor=Actor("kay"), now=timezone.now())
        assert callable(go)
        go(olga)
        page = text_of(browser(piet).get(url("request", request.number)))
        assert "Olga Stern is no security officer of your company any more" in page
        assert "Cancel the request" in page
        browser(piet).post(url("request_cancel", request.number))
        request.refresh_from_db()
        assert (request.state, request.decided_by) == (RequestState.CANCELLED, "Piet Vos")
        notice = Notice.objects.get(kind="kmp.request-cancelled", address=GROUP)
        assert f"Piet Vos cancelled {request.number}" in notice.text
        assert f"Piet Vos cancelled {request.number}" in notice.html

    def test_another_officer_takes_it_over_and_it_goes_on(self, olga: User, piet: User) -> None:
        request = submitted(make_draft(olga, A2A))
        left(olga)
        as_piet = browser(piet)
        assert "Take over" in text_of(as_piet.get(url("request", request.number)))
        page = text_of(as_piet.post(url("request_take_over", request.number), follow=True))
        assert f"{request.number} is your request now. It waits for its decision as before." in page
        assert "any more" not in page.partition("History")[0]
        request.refresh_from_db()
        assert (request.state, request.officer) == (RequestState.SUBMITTED, piet)
        assert told() == [], "who is no officer any more could not open it"
        cancel(request, by=piet, actor=Actor(piet.email), now=timezone.now())
        assert state_of(request) == RequestState.CANCELLED

    def test_its_certificate_is_not_locked(self, olga: User, piet: User) -> None:
        entry = make_entry(company_of(olga))
        request, as_piet = submitted(make_renewal(olga, entry)), browser(piet)
        left(olga)
        sentence = (
            "Olga Stern, who is no security officer any more, began to renew this certificate with "
            f"{request.number}, which is submitted. Take it over, or cancel it on its page."
        )
        with pytest.raises(RenewalTaken, match="is no security officer any more"):
            start_renewal(entry, by=piet, actor=Actor(piet.email), now=timezone.now())
        for page in (
            as_piet.get(url("entry_renew", entry.reference)),
            as_piet.post(url("renew_by_serial"), {"serial": entry.serial}),
        ):
            assert sentence in text_of(page)
            assert url("request_take_over", request.number) in page.content.decode()
        as_piet.post(url("request_cancel", request.number))
        assert start_renewal(entry, by=piet, actor=Actor(piet.email), now=timezone.now()).officer == piet

    def test_nobody_of_another_company_does_either(self, olga: User) -> None:
        request, stranger = submitted(make_draft(olga, A2A)), make_officer()
        left(olga)
        for act in (cancel, hand_over.take_over):
            with pytest.raises(WrongState, match="officer"):
                act(request, by=stranger, actor=Actor(stranger.email), now=timezone.now())
        assert browser(stranger).post(url("request_cancel", request.number)).status_code == 404
        assert state_of(request) == RequestState.SUBMITTED

    def test_that_of_an_officer_stays_theirs(self, olga: User, piet: User) -> None:
        request = submitted(make_draft(olga, A2A))
        page = text_of(browser(piet).get(url("request", request.number)))
        assert "Take over" not in page
        assert "Cancel the request" not in page
        with pytest.raises(WrongState, match="cannot be taken over"):
            hand_over.take_over(request, by=piet, actor=Actor(piet.email), now=timezone.now())


class TestWhoIsTold:
    def test_who_gets_the_draft_of_a_withdrawn_colleague(self, olga: User, piet: User) -> None:
        draft = make_draft(olga)
        left(olga)
        assert told() == [(piet.email, Channel.BELL), (piet.email, Channel.MAIL)]
        notice = Notice.objects.get(kind=HANDED_OVER, channel=Channel.MAIL)
        assert notice.subject == f"{draft.number} is your draft now: Developers portal client, MTF"
        assert "Olga Stern is no security officer of Acme Payments Ltd any more" in notice.text
        assert notice.link == url("request", draft.number)
        assert f"{settings.SITE_URL}{notice.link}" in notice.html

    def test_who_loses_a_draft_each_time(self, olga: User, piet: User) -> None:
        draft, now = make_draft(olga), timezone.now()
        for heir, minutes in ((piet, 0), (piet, 1), (olga, 2), (piet, 3)):
            moment = now + timedelta(minutes=minutes)
            hand_over.take_over(draft, by=heir, actor=Actor(heir.email), now=moment)
        assert told() == sorted(
            (address, channel.value) for address in (olga.email, olga.email, piet.email) for channel in Channel
        )
        notice = Notice.objects.filter(kind=HANDED_OVER, recipient=olga, channel=Channel.MAIL).first()
        assert notice is not None
        assert notice.subject == f"Piet Vos has taken over {draft.number}: Developers portal client, MTF"
        assert "Piet Vos has taken over your draft" in notice.html

    def test_a_draft_that_waited_for_an_officer_is_taken_over_or_cancelled(self) -> None:
        olga = make_officer(name="Olga Stern")
        drafts = [make_draft(olga), make_draft(olga)]
        left(olga)
        heir = make_officer(company_of(olga), name="Rosa Lind")
        page = text_of(browser(heir).get(url("request", drafts[0].number)))
        assert "Olga Stern is no security officer of your company any more" in page
        hand_over.take_over(drafts[0], by=heir, actor=Actor(heir.email), now=timezone.now())
        cancel(drafts[1], by=heir, actor=Actor(heir.email), now=timezone.now())
        states = dict(CertificateRequest.objects.values_list("state", "officer__name"))
        assert states == {RequestState.DRAFT: "Rosa Lind", RequestState.CANCELLED: "Olga Stern"}

    def test_drafts_of_an_account_that_staff_close_or_move_go_on(self, olga: User, piet: User) -> None:
        kim = make_staff(is_superuser=True)
        for changes in ({"is_active": ""}, {"company": ""}):
            officer = make_officer(company_of(olga))
            draft = make_draft(officer)
            form = {"email": officer.email, "name": officer.name, "company": officer.company_id, "is_active": "on"}
            address = reverse("admin:connect_user_change", args=[officer.pk])
            assert browser(kim).post(address, {**form, **changes}).status_code == 302
            draft.refresh_from_db()
            assert draft.officer in (olga, piet)
            assert (draft.officer.email, Channel.MAIL) in told()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("begin", ["new", "renewal", "take-over"])
def test_a_draft_that_begins_while_access_is_withdrawn_is_left_with_nobody(olga: User, piet: User, begin: str) -> None:
    his, entry = make_draft(piet), make_entry(company_of(olga))
    actor, now = Actor(olga.email), timezone.now()
    begins = {
        "new": lambda: make_draft(olga, csr=b""),
        "renewal": lambda: start_renewal(entry, by=olga, actor=actor, now=now),
        "take-over": lambda: hand_over.take_over(his, by=olga, actor=actor, now=now),
    }
    refused: list[str] = []

    def attempt() -> None:
        try:
            begins[begin]()
        except WrongState as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    thread = threading.Thread(target=attempt)
    with transaction.atomic():
        left(olga)
        thread.start()
        thread.join(1)
        assert thread.is_alive(), "it waits for the withdrawal"
    thread.join(60)
    assert len(refused) == 1
    assert not CertificateRequest.objects.filter(officer=olga).exists()
