"""Requests for production access for tests, made by the use-cases that users call."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from audit.events import Actor
from connect.models import User
from portal.models import Membership, ProductionAccessRequest, Project, Role
from portal.production_access import decide_production_access, request_production_access
from tests.connect.factories import make_staff


def make_production_request(
    project: Project, *, by: User | None = None, note: str = "", now: datetime | None = None
) -> ProductionAccessRequest:
    """A request that waits, of the project's first admin unless told otherwise."""
    by = by or Membership.objects.filter(project=project, role=Role.ADMIN)[0].user
    return request_production_access(project, by=by, note=note, actor=Actor(by.email), now=now or timezone.now())


def decide(
    request: ProductionAccessRequest, *, approve: bool = True, by: User | None = None, reason: str = ""
) -> ProductionAccessRequest:
    """What somebody of the staff says to it."""
    by = by or make_staff()
    return decide_production_access(
        request, by=by, approve=approve, reason=reason, actor=Actor(by.email), now=timezone.now()
    )


def give_production_access(project: Project) -> ProductionAccessRequest:
    """Requested, and approved by staff."""
    return decide(make_production_request(project))
