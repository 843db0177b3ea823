"""Two people at the same moment: one request, one decision, and a sentence for the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect.models import Notice
from portal.errors import NoLongerPossible, PortalError
from portal.models import ProductionAccessRequest, ProductionState, Project, Role
from portal.projects import delete_project
from tests.connect.factories import make_staff
from tests.factories import make_member, make_project
from tests.portal.production_requests import decide, make_production_request

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROUNDS = 5


def deleting(project: Project) -> partial[int]:
    return partial(delete_project, project, actor=Actor("admin@acme.example"), now=timezone.now())


def at_once(*works: Callable[[], object]) -> list[type[Exception] | None]:
    """Do all at the same moment, each with a connection of its own. What each was refused with, in order."""
    barrier = threading.Barrier(len(works))
    outcomes: dict[int, type[Exception] | None] = {}

    def do(number: int, work: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            work()
            outcomes[number] = None
        except PortalError as refusal:
            outcomes[number] = type(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == len(works), "each ended, with a result or a sentence"
    return [outcomes[number] for number in range(len(works))]


def events_of(project: Project) -> list[str]:
    found = AuditEvent.objects.filter(project=str(project.pk), action__startswith="production-access")
    return list(found.order_by("pk").values_list("action", flat=True))


def test_two_of_the_staff_decide_at_once_and_one_decision_counts() -> None:
    kim, lee = make_staff(), make_staff()
    for _ in range(ROUNDS):
        project = make_project()
        asked = make_production_request(project)
        outcomes = at_once(
            partial(decide, asked, by=kim), partial(decide, asked, by=lee, approve=False, reason="Decided")
        )
        assert set(outcomes) == {None, NoLongerPossible}
        asked.refresh_from_db()
        approved = outcomes[0] is None
        assert asked.state == (ProductionState.APPROVED if approved else ProductionState.REFUSED)
        assert asked.decided_by == (kim if approved else lee)
        assert len(events_of(project)) == 2
        told = Notice.objects.filter(event__endswith=str(asked.pk)).exclude(recipient__in=[kim, lee])
        kind = "granted" if approved else "refused"
        assert set(told.values_list("kind", flat=True)) == {f"portal.production-access-{kind}"}
        assert told.count() == 2  # One mail and one bell.


def test_two_admins_ask_at_once_and_one_request_results() -> None:
    for _ in range(ROUNDS):
        project = make_project()
        other = make_member(project, Role.ADMIN)
        outcomes = at_once(
            partial(make_production_request, project), partial(make_production_request, project, by=other)
        )
        assert set(outcomes) == {None, NoLongerPossible}
        assert project.production_requests.count() == 1
        assert events_of(project) == ["production-access.requested"]


def test_asking_again_twice_at_once_after_a_refusal_makes_one_more() -> None:
    kim = make_staff()
    for _ in range(ROUNDS):
        project = make_project()
        decide(make_production_request(project), by=kim, approve=False, reason="Not yet")
        again = partial(make_production_request, project)
        assert set(at_once(again, again)) == {None, NoLongerPossible}
        states = project.production_requests.order_by("requested_at").values_list("state", flat=True)
        assert list(states) == [ProductionState.REFUSED, ProductionState.PENDING]


def test_a_decision_while_the_project_is_deleted() -> None:
    kim = make_staff()
    for _ in range(ROUNDS):
        project = make_project()
        asked = make_production_request(project)
        outcomes = at_once(partial(decide, asked, by=kim), deleting(project))
        assert outcomes[0] in (None, NoLongerPossible)
        assert outcomes[1] is None
        approved = ProductionAccessRequest.objects.get(pk=asked.pk).state == ProductionState.APPROVED
        assert approved == (outcomes[0] is None)
        assert ("production-access.approved" in events_of(project)) == approved


def test_a_request_while_the_project_is_deleted() -> None:
    for _ in range(ROUNDS):
        project = make_project()
        outcomes = at_once(partial(make_production_request, project), deleting(project))
        assert outcomes[0] in (None, NoLongerPossible)
        assert project.production_requests.exists() == (outcomes[0] is None)
