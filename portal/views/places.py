"""One environment of one project, as the person behind a request finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from connect.models import User
from portal.access import admin_membership_of, membership_of
from portal.models import Environment, Membership, Project, Role


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is, and for whom."""

    user: User
    project: Project
    environment: Environment
    may_change: bool

    @property
    def context(self) -> dict[str, Any]:
        """For ``base_project.html``, and whether this person may change anything here."""
        return {
            "project": self.project,
            "environment": self.environment,
            "section": self.environment.value,
            "may_change": self.may_change,
        }


def place_to_see(user: User, project_id: UUID, environment: Environment) -> Place:
    """For everybody on the team. Raises 404 for others."""
    return _place(user, membership_of(user, project_id), environment)


def place_to_change(user: User, project_id: UUID, environment: Environment) -> Place:
    """For the team's admins. Raises 404 for strangers, 403 for read-only members."""
    return _place(user, admin_membership_of(user, project_id), environment)


def _place(user: User, membership: Membership, environment: Environment) -> Place:
    return Place(user, membership.project, environment, may_change=membership.role == Role.ADMIN)
