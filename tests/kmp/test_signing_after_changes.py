"""Requests that are signed after something has changed: what keeps them from it, and what does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from audit.events import SYSTEM, Actor
from certauthority import revocation
from certauthority.models import Authority, RevocationReason
from certauthority.x509.armor import csr_der
from certauthority.x509.csr import read_csr
from connect.access_requests import withdraw
from connect.models import AccessRequest, User
from kmp import tasks
from kmp.entries import revoke
from kmp.errors import NotSignable, WrongState
from kmp.models import CertificateRequest, DnAttribute, InventoryEntry, RequestState, Review
from kmp.moves import REASON_LENGTH
from kmp.requests import cancel
from kmp.signing import reason_of as reason_for
from tests.factories import make_company
from tests.kmp.decisions import (
    A2A,
    actions_of,
    assert_signed_once,
    make_submitted,
    make_submitted_renewal,
    process,
    reason_of,
    sign_now,
    state_of,
    told_of,
)
from tests.kmp.factories import PORTAL_CLIENT, application_of, make_entry, make_kmp_csr, rules_for
from tests.kmp.wizard import company_of, make_two_officers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def officers() -> tuple[User, User]:
    return make_two_officers()


@pytest.fixture
def olga(officers: tuple[User, User]) -> User:
    return officers[0]


Change = Callable[[CertificateRequest, InventoryEntry], object]


def _revoked(request: CertificateRequest, expiring: InventoryEntry) -> None:
    revoke(expiring, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=timezone.now())


def _renewed(request: CertificateRequest, expiring: InventoryEntry) -> None:
    make_entry(renews=expiring)


def _compromised(request: CertificateRequest, expiring: InventoryEntry) -> None:
    key = read_csr(csr_der(bytes(request.csr))).public_key
    revocation.report_compromise(key.fingerprint, holder=str(request.company_id), actor=SYSTEM, now=timezone.now())


def _withdrawn(request: CertificateRequest, expiring: InventoryEntry) -> None:
    access = AccessRequest.objects.get(user=request.officer)
    by = access.decided_by
    assert by is not None
    withdraw(access, by=by, reason="Has left the team", actor=Actor(by.email), now=timezone.now())


def _locked_out(request: CertificateRequest, expiring: InventoryEntry) -> None:
    User.objects.filter(pk=request.officer_id).update(is_active=False)


def _other_rules(request: CertificateRequest, expiring: InventoryEntry) -> None:
    unit = DnAttribute.objects.filter(requirement__application=request.application, label="OU")
    unit.update(kind="fixed", value="Another unit")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_revoked, "was revoked. A revoked certificate is never renewed"),
        (_renewed, "has been renewed already. The newest version is KM-"),
        (_compromised, "The key was never reported as compromised: found this key was in a certificate"),
        (_withdrawn, "Olga Stern is no security officer of Acme Payments Ltd any more."),
        (_locked_out, "Olga Stern is no security officer of Acme Payments Ltd any more."),
        (_other_rules, "The DN requirements, or the company’s details, have changed since KM-"),
    ],
)
def test_a_renewal_is_rejected_where_the_world_has_changed(olga: User, change: Change, said: str) -> None:
    expiring = make_entry(company_of(olga))
    request = make_submitted_renewal(olga, expiring)
    change(request, expiring)
    entries = InventoryEntry.objects.count()
    process(request)
    assert state_of(request) == RequestState.REJECTED
    reason = reason_of(request)
    assert reason.startswith("Something changed after it was submitted. ")
    assert said in reason
    assert len(reason) <= REASON_LENGTH
    assert InventoryEntry.objects.count() == entries
    assert actions_of(request)[-2:] == ["in-review", "rejected"]
    assert ("piet@acme.example", "mail") in told_of(request, "kmp.request-rejected")
    with pytest.raises(WrongState, match="was rejected meanwhile"):
        sign_now(request)


def test_a_duplicate_that_was_issued_meanwhile_is_named(olga: User) -> None:
    company = company_of(olga)
    request = make_submitted(olga, csr=make_kmp_csr(rules_for(company), unique="twin"))
    twin = make_entry(company, unique="TWIN")
    process(request)
    assert state_of(request) == RequestState.REJECTED
    assert f"duplicate certificate: {twin.reference}" in reason_of(request)


def test_an_officer_of_another_company_now_gets_no_certificate_of_the_old_one(olga: User) -> None:
    request = make_submitted(olga)
    other = make_company()
    User.objects.filter(pk=olga.pk).update(company=other)
    AccessRequest.objects.filter(user=olga).update(company=other)
    process(request)
    assert "is no security officer of Acme Payments Ltd" in reason_of(request)


def test_what_matters_for_submitting_only_stops_no_signature(officers: tuple[User, User]) -> None:
    olga, piet = officers
    request = make_submitted(olga)
    application = application_of(PORTAL_CLIENT)
    application.is_open = False
    application.save()
    User.objects.filter(pk=piet.pk).update(is_active=False)
    process(request)
    assert state_of(request) == RequestState.SIGNED


def test_a_request_that_is_cancelled_before_its_time_is_never_signed(olga: User) -> None:
    request = make_submitted(olga)
    cancel(request, by=olga, actor=Actor(olga.email), now=timezone.now())
    process(request)
    tasks.sweep_requests()
    assert state_of(request) == RequestState.CANCELLED
    assert not InventoryEntry.objects.exists()


def test_a_request_goes_to_key_management_when_its_application_does(olga: User) -> None:
    request = make_submitted(olga)
    application = application_of(PORTAL_CLIENT)
    application.review = Review.MANUAL
    application.save()
    staff = User.objects.create_user("kim@site.example", "x", name="Kim", is_staff=True)
    process(request)
    request.refresh_from_db()
    assert (request.state, request.decide_at) == (RequestState.SUBMITTED, None)
    assert told_of(request, "kmp.request-waiting") == [(staff.email, "bell"), (staff.email, "mail")]


def test_a_request_that_nobody_has_begun_follows_its_application_to_the_automatic_review(olga: User) -> None:
    untouched, begun = make_submitted(olga, A2A), make_submitted(olga, A2A)
    CertificateRequest.objects.filter(pk=begun.pk).update(state=RequestState.IN_REVIEW)
    application = application_of(A2A)
    application.review = Review.AUTOMATIC
    application.save()
    tasks.sweep_requests()
    untouched.refresh_from_db()
    begun.refresh_from_db()
    assert untouched.decide_at is not None
    assert begun.decide_at is None
    process(untouched, now=untouched.decide_at)
    assert_signed_once(untouched)


def test_a_reason_holds_whole_sentences_only() -> None:
    long = "x" * 300 + "."
    assert reason_for([long, long]) == f"Something changed after it was submitted. {long}"
    cut = reason_for(["y" * 600])
    assert len(cut) == REASON_LENGTH
    assert cut.endswith("y…")


def test_what_cannot_be_signed_says_why_and_is_left_as_it_was(olga: User) -> None:
    expiring = make_entry(company_of(olga))
    request = make_submitted_renewal(olga, expiring)
    _revoked(request, expiring)
    with pytest.raises(NotSignable, match="was revoked"):
        sign_now(request)
    assert state_of(request) == RequestState.SUBMITTED
