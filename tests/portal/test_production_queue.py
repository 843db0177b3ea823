"""The staff's queue of requests for production access: ages, decisions with reasons, and what happened meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from connect.models import User
from portal.models import ProductionState, Project, Role
from portal.projects import delete_project
from tests.connect.factories import make_staff
from tests.factories import make_project
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.portal.production_requests import decide, make_production_request

QUEUE = "/production-access/"


@pytest.fixture
def kim(db: None) -> User:
    return make_staff(email="kim@rehearsal.example", name="Kim Adeyemi")


@pytest.fixture
def as_kim(kim: User) -> Client:
    return signed_in(kim)


def test_the_longest_waiting_stands_first_with_its_age(project: Project, as_kim: Client) -> None:
    make_production_request(project, now=timezone.now() - timedelta(hours=2))
    make_production_request(make_project(name="Older"), now=timezone.now() - timedelta(days=3))
    words = text_of(as_kim.get(QUEUE))
    assert words.index("Older") < words.index("Checkout API")
    assert "3 days since" in words
    assert "2 hours since" in words


def test_a_deleted_project_leaves_the_queue(project: Project, alice: User, as_kim: Client) -> None:
    asked = make_production_request(project)
    delete_project(project, actor=Actor(alice.email), now=timezone.now())
    assert "No project waits" in text_of(as_kim.get(QUEUE))
    words = text_of(as_kim.get(f"{QUEUE}{asked.pk}/"))
    assert "The project was deleted. There is nothing to decide any more." in words
    assert "Approve" not in words
    response = as_kim.post(f"{QUEUE}{asked.pk}/", {"decision": "yes"})
    assert "Nothing was changed: the project was deleted" in text_of(response)


def test_approving(project: Project, as_kim: Client) -> None:
    asked = make_production_request(project, note="Our own shop.")
    assert "Our own shop." in text_of(as_kim.get(f"{QUEUE}{asked.pk}/"))
    response = as_kim.post(f"{QUEUE}{asked.pk}/", {"decision": "yes"}, follow=True)
    assert "Checkout API has production access." in text_of(response)
    asked.refresh_from_db()
    assert asked.state == ProductionState.APPROVED
    assert "Kim Adeyemi" in text_of(as_kim.get(f"{QUEUE}?show=decided"))


def test_refusing_needs_a_reason(project: Project, as_kim: Client) -> None:
    asked = make_production_request(project)
    response = as_kim.post(f"{QUEUE}{asked.pk}/", {"decision": "no"})
    assert "Give a reason: the other side reads it." in text_of(response)
    response = as_kim.post(f"{QUEUE}{asked.pk}/", {"decision": "no", "reason": "Which shop?"}, follow=True)
    assert "Checkout API was told why it gets no production access." in text_of(response)
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (ProductionState.REFUSED, "Which shop?")


def test_a_decision_made_meanwhile_is_shown(project: Project, as_kim: Client) -> None:
    asked = make_production_request(project)
    decide(asked, by=make_staff(name="Lee Moss"))
    words = text_of(as_kim.post(f"{QUEUE}{asked.pk}/", {"decision": "no", "reason": "No."}))
    assert "Nothing was changed: the request is approved by Lee Moss already." in words
    assert "Decide later" not in words


def test_ones_own_request_is_left_to_others(project: Project, kim: User, as_kim: Client) -> None:
    User.objects.filter(pk=kim.pk).update(company=project.company)
    project.memberships.create(user=kim, role=Role.ADMIN, since=timezone.now())
    asked = make_production_request(project, by=kim)
    words = text_of(as_kim.get(f"{QUEUE}{asked.pk}/"))
    assert "You have asked for this yourself." in words
    assert "Decide later" not in words
    words = text_of(as_kim.post(f"{QUEUE}{asked.pk}/", {"decision": "yes"}))
    assert "Nobody decides on a request of their own." in words


def test_an_earlier_refusal_is_counted(project: Project, as_kim: Client) -> None:
    decide(make_production_request(project), approve=False, reason="Which shop?")
    asked = make_production_request(project, now=timezone.now() + timedelta(seconds=1))
    assert "Earlier requests 1, refused" in text_of(as_kim.get(f"{QUEUE}{asked.pk}/"))


def test_it_is_for_staff_alone(project: Project, as_alice: Client) -> None:
    asked = make_production_request(project)
    for address in (QUEUE, f"{QUEUE}{asked.pk}/", f"{QUEUE}{project.pk}/"):
        assert as_alice.get(address).status_code == 403
    assert as_alice.post(f"{QUEUE}{asked.pk}/", {"decision": "yes"}).status_code == 403


def test_what_does_not_exist(project: Project, as_kim: Client) -> None:
    assert as_kim.get(f"{QUEUE}{project.pk}/").status_code == 404


def test_the_inbox_of_staff_leads_here(as_kim: Client, as_alice: Client) -> None:
    assert f'href="{QUEUE}"' in as_kim.get("/connect/inbox/").content.decode()


def test_more_requests_cost_no_more_queries(project: Project, as_kim: Client) -> None:
    make_production_request(project)
    as_kim.get(QUEUE)
    with CaptureQueriesContext(connection) as few:
        as_kim.get(QUEUE)
    for _ in range(5):
        make_production_request(make_project())
    with CaptureQueriesContext(connection) as many:
        as_kim.get(QUEUE)
    assert len(many) == len(few)
