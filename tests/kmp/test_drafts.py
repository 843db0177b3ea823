"""Drafts change hands, and what is kept in them is told in the audit log."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from connect.access_requests import withdraw
from connect.models import AccessRequest, User
from kmp import drafts, hand_over
from kmp.errors import NoCsr, WrongState
from kmp.models import CertificateRequest, RequestState
from tests.kmp.factories import make_entry, make_officer
from tests.kmp.wizard import company_of, make_draft, make_renewal, make_two_officers, submitted
from tests.portal.credential_pages import PRIVATE_KEY


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates of the inventory are really signed."""


@pytest.fixture
def officers() -> tuple[User, User]:
    return make_two_officers()


def withdrawn(officer: User) -> None:
    """The officer's access is withdrawn, as Connect does it."""
    access = AccessRequest.objects.get(user=officer)
    by = access.decided_by
    assert by is not None
    withdraw(access, by=by, reason="Moved to another team", actor=Actor(by.email), now=timezone.now())


def holders() -> dict[str, str]:
    return {request.number: request.officer.name for request in CertificateRequest.objects.select_related("officer")}


def test_drafts_of_an_officer_whose_access_is_withdrawn_go_to_who_has_the_fewest(officers: tuple[User, User]) -> None:
    olga, piet = officers
    rosa = make_officer(company_of(olga), email="rosa@acme.example", name="Rosa Lind")
    mine = [make_draft(olga).number, make_renewal(olga, make_entry(company_of(olga))).number, make_draft(olga).number]
    piets = make_draft(piet).number
    done = submitted(make_draft(olga)).number
    withdrawn(olga)
    assert holders() == {
        mine[0]: rosa.name,
        mine[1]: piet.name,
        mine[2]: rosa.name,
        piets: piet.name,
        done: olga.name,
    }
    event = AuditEvent.objects.filter(action="kmp.request-handed-over").order_by("id").first()
    assert event is not None
    assert (event.before, event.after) == ({"officer": olga.email}, {"officer": "rosa@acme.example"})


def test_without_another_officer_drafts_wait_for_one() -> None:
    olga = make_officer(name="Olga Stern")
    draft = make_draft(olga)
    withdrawn(olga)
    assert holders() == {draft.number: "Olga Stern"}
    heir = make_officer(company_of(olga))
    assert hand_over.take_over(draft, by=heir, actor=Actor(heir.email), now=timezone.now()).officer == heir


def test_another_application_or_company_concerns_no_draft(officers: tuple[User, User]) -> None:
    olga, _ = officers
    draft, now, actor = make_draft(olga), timezone.now(), Actor("x")
    hand_over.on_access_withdrawn(
        None, user=olga, company=company_of(olga), application="mailbox", actor=actor, now=now
    )
    hand_over.on_access_withdrawn(
        None, user=olga, company=company_of(make_officer()), application="kmp", actor=actor, now=now
    )
    assert holders() == {draft.number: "Olga Stern"}


def test_a_draft_is_taken_over_once_and_only_within_the_company(officers: tuple[User, User]) -> None:
    olga, piet = officers
    draft, now = make_draft(olga), timezone.now()
    stranger = make_officer()
    with pytest.raises(WrongState, match="Only a security officer of the same company takes over a draft"):
        hand_over.take_over(draft, by=stranger, actor=Actor(stranger.email), now=now)
    for _ in range(2):
        hand_over.take_over(draft, by=piet, actor=Actor(piet.email), now=now)
    assert AuditEvent.objects.filter(action="kmp.request-handed-over").count() == 1
    with pytest.raises(WrongState, match="Piet Vos’s draft now"):
        drafts.own_draft(draft, olga)


def test_who_is_no_officer_any_more_changes_nothing(officers: tuple[User, User]) -> None:
    olga, _ = officers
    draft = make_draft(olga)
    AccessRequest.objects.filter(user=olga).update(state="withdrawn")
    with pytest.raises(WrongState, match="Your access to KMP was withdrawn"):
        drafts.save_names(draft, (), contact="x@acme.example", by=olga, actor=Actor("x"), now=timezone.now())
    with pytest.raises(WrongState, match="Only a security officer makes requests"):
        make_draft(olga)


def test_a_private_key_is_never_kept(officers: tuple[User, User]) -> None:
    draft = make_draft(officers[0])
    before = bytes(draft.csr)
    with pytest.raises(NoCsr, match="This file holds a private key"):
        drafts.save_csr(draft, PRIVATE_KEY.encode(), name="x", by=officers[0], actor=Actor("x"), now=timezone.now())
    draft.refresh_from_db()
    assert bytes(draft.csr) == before


def test_what_changes_is_recorded_and_what_stays_is_not(officers: tuple[User, User]) -> None:
    olga, _ = officers
    draft, now, actor = make_draft(olga), timezone.now(), Actor(olga.email)
    for _ in range(2):
        drafts.save_names(draft, ("a.acme.example",), contact=olga.email, by=olga, actor=actor, now=now)
    events = [event.after for event in AuditEvent.objects.filter(action="kmp.request-changed").order_by("id")]
    assert events == [
        {"csr_name": "new.csr", "common_name": draft.common_name},
        {"alternative_names": "a.acme.example"},
    ]
    assert draft.state == RequestState.DRAFT
