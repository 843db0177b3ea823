"""The automatic review leaves a request to the staff once one of them has begun to look at it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.events import SYSTEM, Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from connect.models import User
from kmp import automatic_review, key_management, tasks
from kmp.errors import WrongState
from kmp.models import Application, RequestState
from kmp.requests import begin_review
from tests.connect.factories import make_staff
from tests.kmp.decisions import make_submitted, state_of
from tests.kmp.wizard import browser, make_two_officers, url
from tests.page_text import text_of


@pytest.fixture(autouse=True)
def _site(authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """The CA, and the applications of every site."""


@pytest.fixture
def olga() -> User:
    return make_two_officers()[0]


def test_a_request_in_the_hands_of_staff_is_left_to_them(olga: User) -> None:
    for begun_by_itself in (False, True):
        request = make_submitted(olga)
        if begun_by_itself:
            request = begin_review(request, actor=SYSTEM, now=timezone.now())
        kim = make_staff()
        for _ in range(2):
            key_management.begin_review(request, by=kim, actor=Actor(kim.email), now=timezone.now())
        assert automatic_review.process(request.pk, now=timezone.now()) is None
        tasks.sweep_requests()
        assert state_of(request) == RequestState.IN_REVIEW
        assert AuditEvent.objects.get(object_id=str(request.pk), actor=kim.email).action == "kmp.request-in-review"
        key_management.sign(request, by=kim, actor=Actor(kim.email), now=timezone.now())
        assert state_of(request) == RequestState.SIGNED


def test_staff_decide_on_no_request_that_the_automatic_review_has(olga: User) -> None:
    kim, request = make_staff(), begin_review(make_submitted(olga), actor=SYSTEM, now=timezone.now())
    with pytest.raises(WrongState, match="has not begun"):
        key_management.sign(request, by=kim, actor=Actor(kim.email), now=timezone.now())


def test_the_page_offers_to_take_it_out(olga: User) -> None:
    request = begin_review(make_submitted(olga), actor=SYSTEM, now=timezone.now())
    as_kim = browser(make_staff())
    page = text_of(as_kim.get(url("review", request.number)))
    assert "Begin review" in page
    assert "When you begin, the automatic review leaves it to you." in page
    begun = text_of(as_kim.post(url("review", request.number), {"decision": "begin"}, follow=True))
    assert "Sign" in begun
    assert "The automatic review decides on this request" not in begun
