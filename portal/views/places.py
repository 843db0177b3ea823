"""What every page about one environment of one project needs."""

from __future__ import annotations

from typing import Any

from portal.models import Environment, Membership, Role


def place(membership: Membership, environment: Environment) -> dict[str, Any]:
    """The context of ``base_project.html``, and whether this person may change anything here."""
    return {
        "project": membership.project,
        "environment": environment,
        "section": environment.value,
        "may_change": membership.role == Role.ADMIN,
    }
