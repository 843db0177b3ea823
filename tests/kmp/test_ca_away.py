"""While the CA cannot sign, the pages say that, and not for ever that a decision comes within seconds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from certauthority import issuance
from certauthority.errors import SigningUnavailable
from certauthority.models import Authority, Certificate
from connect.models import User
from kmp import automatic_review
from kmp.models import Application, CertificateRequest, Review
from kmp.progress import token_of, waiting_of
from tests.connect.factories import make_staff
from tests.kmp.decisions import A2A, make_submitted
from tests.kmp.factories import application_of
from tests.kmp.wizard import browser, make_two_officers, url
from tests.page_text import text_of

AWAY = "The CA cannot sign at the moment"
SOON = "It waits for the background work"
LATE = "It still waits for the background work"


@pytest.fixture(autouse=True)
def _site(authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """The CA, and the applications of every site."""


@pytest.fixture
def olga() -> User:
    return make_two_officers()[0]


@pytest.fixture
def _away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: object, **options: object) -> Certificate:
        raise SigningUnavailable("The key does not open.")

    monkeypatch.setattr(issuance, "issue", away)


def title_of(request: CertificateRequest, now: datetime) -> str:
    request.refresh_from_db()
    waiting = waiting_of(request, now=now)
    assert waiting is not None
    return waiting.title


@pytest.mark.usefixtures("_away")
def test_the_officer_reads_that_the_ca_cannot_sign(olga: User) -> None:
    now = timezone.now()
    request = make_submitted(olga, now=now - timedelta(minutes=10))
    for minute in range(3):
        automatic_review.process(request.pk, now=now + timedelta(minutes=minute))
        for seconds in (0, 30, 59):
            assert title_of(request, now + timedelta(minutes=minute, seconds=seconds)) == AWAY
    page = text_of(browser(olga).get(url("request", request.number)))
    assert f"In review. {AWAY} Nothing is lost: it is tried each minute." in page
    assert "usually within seconds" not in page


@pytest.mark.usefixtures("_away")
def test_staff_read_the_same(olga: User) -> None:
    request = make_submitted(olga)
    automatic_review.process(request.pk, now=timezone.now())
    page = text_of(browser(make_staff()).get(url("review", request.number)))
    assert f"{AWAY} The request waits, and the automatic review tries it each minute." in page


@pytest.mark.usefixtures("_away")
def test_background_work_that_stops_meanwhile_is_said_to_be_late(olga: User) -> None:
    request, now = make_submitted(olga), timezone.now()
    automatic_review.process(request.pk, now=now)
    assert title_of(request, now + timedelta(minutes=2)) == LATE


def test_a_worker_that_died_over_the_decision_is_late_by_the_submission(olga: User) -> None:
    now = timezone.now()
    request = make_submitted(olga, now=now - timedelta(minutes=1))
    CertificateRequest.objects.filter(pk=request.pk).update(claimed_at=now, decide_at=now)
    assert title_of(request, now) == LATE


def test_the_page_asks_for_each_of_them_anew(olga: User) -> None:
    now = timezone.now()
    request = make_submitted(olga, now=now)
    tokens = [token_of(request, now=now), token_of(request, now=now + timedelta(minutes=1))]
    request.claimed_at, request.decide_at = now, now + timedelta(minutes=1)
    assert [*tokens, token_of(request, now=now)] == ["submitted", "submitted-late", "submitted-unsigned"]


def test_one_that_was_only_looked_at_in_time_is_neither_late_nor_unsigned(olga: User) -> None:
    now = timezone.now()
    request = make_submitted(olga, now=now)
    automatic_review.process(request.pk, now=now)
    assert title_of(request, now) == SOON


def test_one_that_comes_late_to_the_automatic_review_is_not_late_there(olga: User) -> None:
    now = timezone.now()
    request = make_submitted(olga, A2A, now=now - timedelta(days=2))
    application = application_of(A2A)
    application.review = Review.AUTOMATIC
    application.save()
    automatic_review.take_in(now=now)
    automatic_review.process(request.pk, now=now)
    assert title_of(request, now) == SOON
