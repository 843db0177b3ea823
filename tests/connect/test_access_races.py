"""Two people, or one with two windows, at the same moment: one result, and a sentence for the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect import access_requests
from connect.errors import AlreadyRequested, CidRefused, ConnectError, NoLongerPossible
from connect.models import AccessRequest, AccessState, Company, CompanyVerification, Notice, User, VerificationState
from connect.verification import decide_verification
from tests.connect.factories import (
    grant_access,
    make_access_request,
    make_claim,
    make_security_administrator,
    make_staff,
)
from tests.factories import make_company, make_user

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROUNDS = 5

Work = Callable[[], object]


def at_once(*works: Work) -> list[ConnectError | None]:
    """Do all at the same moment, each with a connection of its own. What each was refused with, in order."""
    barrier = threading.Barrier(len(works))
    outcomes: dict[int, ConnectError | None] = {}

    def do(number: int, work: Work) -> None:
        try:
            barrier.wait(10)
            work()
            outcomes[number] = None
        except ConnectError as refusal:
            outcomes[number] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == len(works), "each ended, with a result or a sentence"
    return [outcomes[number] for number in sorted(outcomes)]


def kinds(outcomes: list[ConnectError | None]) -> set[type]:
    return {type(outcome) for outcome in outcomes}


def deciding(request: AccessRequest, by: User, *, grant: bool) -> Work:
    def work() -> object:
        return access_requests.decide(
            request, by=by, grant=grant, reason="Decided", actor=Actor(by.email), now=timezone.now()
        )

    return work


def withdrawing(request: AccessRequest, by: User) -> Work:
    return lambda: access_requests.withdraw(request, by=by, reason="Over", actor=Actor(by.email), now=timezone.now())


def test_two_administrators_decide_at_once_and_one_decision_counts() -> None:
    sam = make_security_administrator()
    other = make_security_administrator(sam.company)
    for _ in range(ROUNDS):
        asked = make_access_request(make_user(company=sam.company))
        outcomes = at_once(deciding(asked, sam, grant=True), deciding(asked, other, grant=False))
        assert kinds(outcomes) == {type(None), NoLongerPossible}
        asked.refresh_from_db()
        granted = outcomes[0] is None
        assert asked.state == (AccessState.GRANTED if granted else AccessState.REFUSED)
        assert asked.decided_by == (sam if granted else other)
        assert AuditEvent.objects.filter(object_id=str(asked.pk)).exclude(action="access.requested").count() == 1
        told = Notice.objects.filter(event__endswith=str(asked.pk), recipient=asked.user)
        assert set(told.values_list("kind", flat=True)) == {f"connect.access-{asked.state}"}


def test_a_decision_and_a_cancellation_at_once() -> None:
    sam = make_security_administrator()
    for _ in range(ROUNDS):
        user = make_user(company=sam.company)
        asked = make_access_request(user)

        def cancel(asked: AccessRequest = asked, user: User = user) -> object:
            return access_requests.cancel(asked, by=user, actor=Actor(user.email), now=timezone.now())

        outcomes = at_once(deciding(asked, sam, grant=True), cancel)
        assert kinds(outcomes) == {type(None), NoLongerPossible}
        asked.refresh_from_db()
        assert asked.state == (AccessState.GRANTED if outcomes[0] is None else AccessState.CANCELLED)


def test_asking_twice_at_once_makes_one_request() -> None:
    for _ in range(ROUNDS):
        user = make_user()
        outcomes = at_once(partial(make_access_request, user), partial(make_access_request, user))
        assert kinds(outcomes) == {type(None), AlreadyRequested}
        request = AccessRequest.objects.get(user=user)
        (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, AlreadyRequested)]
        assert refusal.request == request
        assert AuditEvent.objects.filter(action="access.requested", object_id=str(request.pk)).count() == 1


def test_withdrawing_twice_at_once_ends_it_once() -> None:
    sam = make_security_administrator()
    other = make_security_administrator(sam.company)
    for _ in range(ROUNDS):
        granted = grant_access(make_user(company=sam.company), by=sam)
        outcomes = at_once(withdrawing(granted, sam), withdrawing(granted, other))
        assert kinds(outcomes) == {type(None), NoLongerPossible}
        assert AuditEvent.objects.filter(action="access.withdrawn", object_id=str(granted.pk)).count() == 1


def test_two_administrators_withdraw_each_others_access_and_both_lose_it() -> None:
    sam = make_user()
    other = make_user(company=sam.company)
    mine, theirs = grant_access(sam), grant_access(other)
    # Nobody gets both any more, but who had both keeps them.
    User.objects.filter(company=sam.company).update(is_security_administrator=True)
    assert at_once(withdrawing(mine, other), withdrawing(theirs, sam)) == [None, None]
    assert AccessRequest.objects.filter(state=AccessState.WITHDRAWN).count() == 2


def confirming(claim: CompanyVerification, by: User) -> Work:
    return lambda: decide_verification(claim, by=by, confirm=True, reason="", actor=Actor(by.email), now=timezone.now())


def test_one_cid_confirmed_for_two_companies_at_once_goes_to_one() -> None:
    kim, lee = make_staff(), make_staff()
    for number in range(ROUNDS):
        cid = f"70000{number}0"
        claims = [make_claim(cid=cid), make_claim(cid=cid)]
        outcomes = at_once(confirming(claims[0], kim), confirming(claims[1], lee))
        assert kinds(outcomes) == {type(None), CidRefused}
        winner = claims[0 if outcomes[0] is None else 1]
        assert Company.objects.get(cid=cid) == winner.company
        assert CompanyVerification.objects.get(cid=cid, state=VerificationState.CONFIRMED) == winner
        assert CompanyVerification.objects.get(cid=cid, state=VerificationState.PENDING) != winner


def test_a_company_claims_once_however_many_ask_at_once() -> None:
    for _ in range(ROUNDS):
        company = make_company(cid=None, verified_at=None)
        users = [make_user(company=company), make_user(company=company)]
        outcomes = at_once(partial(make_claim, users[0]), partial(make_claim, users[1]))
        assert kinds(outcomes) == {type(None), NoLongerPossible}
        assert CompanyVerification.objects.filter(company=company).count() == 1
