"""What a project still needs before its certificates work in Production: the tasks on `Project summary`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connect.models import CompanyVerification, VerificationState
from portal.models import ProductionState, Project
from portal.production_access import Standing, is_verified, standing_of


class TaskState(StrEnum):
    """How a task stands; each has a badge."""

    TO_DO = "to-do"
    WAITING = "waiting"
    REFUSED = "refused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The two tasks. ``claim`` is the company's last one, where it is not verified."""

    is_verified: bool
    claim: CompanyVerification | None
    production: Standing

    @property
    def verification(self) -> TaskState:
        """`Verify your company details`."""
        if self.is_verified:
            return TaskState.DONE
        if self.claim is None:
            return TaskState.TO_DO
        states = {VerificationState.PENDING: TaskState.WAITING, VerificationState.REFUSED: TaskState.REFUSED}
        # A confirmed claim of a company that is not verified any more: all over again.
        return states.get(VerificationState(self.claim.state), TaskState.TO_DO)

    @property
    def access(self) -> TaskState:
        """`Request Production Access`."""
        state = self.production.state
        if state is None:
            return TaskState.TO_DO
        return {
            ProductionState.PENDING: TaskState.WAITING,
            ProductionState.APPROVED: TaskState.DONE,
            ProductionState.REFUSED: TaskState.REFUSED,
        }[state]


def readiness_of(project: Project) -> Readiness:
    """How a project stands, in two queries at most."""
    verified, claim = is_verified(project.company), None
    if not verified:
        claim = CompanyVerification.objects.filter(company=project.company_id).order_by("-requested_at").first()
    return Readiness(is_verified=verified, claim=claim, production=standing_of(project))
