"""Production access: before the site's staff have approved it, a project's certificates do not work in Production."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from audit.events import Actor, record
from connect.models import Company, User
from portal import announcements
from portal.errors import NoLongerPossible, NotAllowed
from portal.models import Credential, Environment, Membership, ProductionAccessRequest, ProductionState, Project, Role
from portal.records import audited_project


@dataclass(frozen=True, slots=True)
class Standing:
    """How a project stands with production access: its last request, or none."""

    request: ProductionAccessRequest | None

    @property
    def state(self) -> ProductionState | None:
        return ProductionState(self.request.state) if self.request is not None else None

    @property
    def is_approved(self) -> bool:
        return self.state == ProductionState.APPROVED

    @property
    def may_request(self) -> bool:
        """Whether nobody has asked yet, or the last request was refused."""
        return self.state in (None, ProductionState.REFUSED)

    @property
    def why_not(self) -> str:
        """A sentence on why certificates do not work in Production yet; nothing where they do."""
        if self.request is None:
            return "Nobody has requested production access for this project yet."
        return {
            ProductionState.PENDING: "The request for production access waits for the site’s staff.",
            ProductionState.APPROVED: "",
            ProductionState.REFUSED: "The site’s staff have refused the request for production access.",
        }[ProductionState(self.request.state)]


def standing_of(project: Project) -> Standing:
    """How the project stands now, in one query."""
    # The open request comes first, then what was decided last.
    requests = project.production_requests.select_related("requested_by", "decided_by")
    return Standing(requests.order_by(F("decided_at").desc(nulls_first=True), "-requested_at").first())


def standing_in(project: Project, environment: Environment) -> Standing | None:
    """The same for a page of one environment; nothing for Sandbox, where every certificate works at once."""
    return standing_of(project) if environment == Environment.PRODUCTION else None


def not_yet(credential: Credential) -> str:
    """What to add to a message about a new certificate that does not work before production access is approved."""
    standing = standing_in(credential.project, Environment(credential.environment))
    if standing is None or standing.is_approved:
        return ""
    return f"It does not work yet. {standing.why_not} "


def is_verified(company: Company) -> bool:
    """Whether the company has a verified CID, which production access needs first."""
    return bool(company.cid and company.verified_at)


@transaction.atomic
def request_production_access(
    project: Project, *, by: User, note: str = "", actor: Actor, now: datetime
) -> ProductionAccessRequest:
    """Ask the site's staff for production access, for the first time or again after a refusal.

    Raises:
        NotAllowed: ``by`` is no admin of the project, or the company is not verified.
        NoLongerPossible: a request waits or is approved already, or the project was deleted.
    """
    row = _held(project)
    if row.deleted_at is not None:
        raise NoLongerPossible("This project was deleted a moment ago. Nothing was requested for it.")
    admins = Membership.objects.filter(project=row, role=Role.ADMIN, user__is_active=True)
    if not admins.filter(user=by).exists():
        raise NotAllowed(f"Only an admin of {row.name} requests production access for it.")
    standing = standing_of(row)
    if standing.state == ProductionState.PENDING:
        raise NoLongerPossible(
            "Production access was requested already. The site’s staff decide on it, and the project’s admins are told "
            "by e-mail."
        )
    if standing.is_approved:
        raise NoLongerPossible("This project has production access already. There is nothing to request.")
    if not is_verified(row.company):
        raise NotAllowed(f"{row.company.name} is not verified yet. Verify your company details first.")
    request = ProductionAccessRequest.objects.create(project=row, note=note.strip(), requested_at=now, requested_by=by)
    record("production-access.requested", actor=actor, on=audited_project(row), now=now, after={"note": request.note})
    announcements.tell_production_requested(request, now=now)
    return request


@transaction.atomic
def decide_production_access(
    request: ProductionAccessRequest, *, by: User, approve: bool, reason: str, actor: Actor, now: datetime
) -> ProductionAccessRequest:
    """Approve a pending request or refuse it, and tell the project's admins. A refusal needs a reason.

    Raises:
        NotAllowed: ``by`` is not of the site's staff or made the request, a refusal has no reason, or what is to be
            approved belongs to a company that is not verified any more.
        NoLongerPossible: it is decided already, or the project was deleted.
    """
    project = _held(request.project)
    row = (
        ProductionAccessRequest.objects.select_for_update(of=("self",)).select_related("decided_by").get(pk=request.pk)
    )
    row.project = project
    _require_decider(by, row)
    if project.deleted_at is not None:
        raise NoLongerPossible("Nothing was changed: the project was deleted, so there is nothing to decide any more.")
    if row.state != ProductionState.PENDING:
        decider = f" by {row.decided_by.name}" if row.decided_by else ""
        raise NoLongerPossible(
            f"Nothing was changed: the request is {row.get_state_display().lower()}{decider} already."
        )
    if approve and not is_verified(project.company):
        raise NotAllowed(f"{project.company.name} is not verified any more. Refuse the request, and say so.")
    if not approve and not reason.strip():
        raise NotAllowed("Give a reason: the project’s admins read it.")
    row.state = ProductionState.APPROVED if approve else ProductionState.REFUSED
    row.decided_by, row.decided_at, row.reason = by, now, reason.strip()
    row.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    record(
        "production-access.approved" if approve else "production-access.refused",
        actor=actor,
        on=audited_project(project),
        now=now,
        after={"reason": row.reason},
    )
    announcements.tell_production_decided(row, now=now)
    return row


def _held(project: Project) -> Project:
    """One request or decision of a project after the other, and none while it is being deleted."""
    held = Project.objects.select_for_update(of=("self",), no_key=True).select_related("company")
    return held.get(pk=project.pk)


def _require_decider(by: User, request: ProductionAccessRequest) -> None:
    # Read anew: the right may have been taken away since this person signed in.
    decider = User.objects.get(pk=by.pk)
    if not decider.is_active or not decider.is_staff:
        raise NotAllowed("Only the site’s staff decide on production access.")
    if decider.pk == request.requested_by_id:
        raise NotAllowed("Nobody decides on a request of their own. Ask somebody else of the staff.")
