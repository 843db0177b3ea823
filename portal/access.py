"""Who may see and change what. Every view fetches its objects here and nowhere else."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from connect.actors import signed_in
from connect.models import User
from portal.models import Credential, Environment, Membership, ProductionAccessRequest, Project, Role

__all__ = [
    "admin_membership_of",
    "credential_of",
    "know_company",
    "may_see",
    "member_of",
    "membership_of",
    "memberships_of",
    "production_request_of",
    "production_requests_of",
    "removable_member_of",
    "require_staff",
    "signed_in",
    "team_of",
]


def memberships_of(user: User) -> QuerySet[Membership]:
    """The projects that this person is on, with their role."""
    return (
        Membership.objects.filter(user=user, project__deleted_at=None)
        .select_related("project__company")
        .order_by("project__name")
    )


def membership_of(user: User, project_id: UUID) -> Membership:
    """This person's place on the project. Raises 404 for who is not on the team, as for what does not exist."""
    membership = memberships_of(user).filter(project_id=project_id).first()
    if membership is None:
        raise Http404
    know_company(user, membership)
    return membership


def know_company(user: User, membership: Membership) -> None:
    """Give the person their company where a project of it was read: the top bar needs not ask for it again."""
    company = membership.project.company
    if user.company_id == company.pk:
        user.company = company


def admin_membership_of(user: User, project_id: UUID) -> Membership:
    """The same for what changes the project: 404 for strangers, 403 for read-only members."""
    membership = membership_of(user, project_id)
    if membership.role != Role.ADMIN:
        raise PermissionDenied(
            f"You are a read-only member of {membership.project.name}. Ask one of its admins to do this, or to make "
            "you an admin on the page Team."
        )
    return membership


def credential_of(project: Project, environment: Environment, credential_id: UUID) -> Credential:
    """One credential of a project that was fetched with ``membership_of``. Raises 404 for any other."""
    credential = (
        Credential.objects.filter(project=project, environment=environment, pk=credential_id)
        .select_related("certificate__authority__parent", "certificate__use", "predecessor__certificate")
        .first()
    )
    if credential is None:
        raise Http404
    return credential


def may_see(user: User, credential: Credential) -> bool:
    """Whether this person is on the credential's team."""
    return memberships_of(user).filter(project_id=credential.project_id).exists()


def team_of(project: Project) -> QuerySet[Membership]:
    """Everybody on a project that was fetched with ``membership_of``, admins first."""
    return (
        Membership.objects.filter(project=project).select_related("user").order_by("role", "user__name", "user__email")
    )


def member_of(project: Project, user_id: UUID) -> Membership:
    """Somebody's place on a project that was fetched with ``membership_of``. Raises 404 for who is not on it."""
    team = Membership.objects.select_related("project__company", "user")
    member = team.filter(project=project, user_id=user_id).first()
    if member is None:
        raise Http404
    return member


def removable_member_of(membership: Membership, user_id: UUID) -> Membership:
    """A member whom the holder of ``membership`` may take off the team: admins anybody, others only themselves."""
    if user_id != membership.user_id and membership.role != Role.ADMIN:
        raise PermissionDenied(
            f"You are a read-only member of {membership.project.name} and may remove only yourself. Ask one of its "
            "admins."
        )
    return member_of(membership.project, user_id)


def require_staff(user: User) -> None:
    """Raises 403 for everybody but the site's staff."""
    if not user.is_staff:
        raise PermissionDenied("Only the site's staff change the list of trusted CAs. Write to them what is missing.")


def production_requests_of(user: User) -> QuerySet[ProductionAccessRequest]:
    """Every project's requests for production access, for the site's staff. Raises 403 for everybody else."""
    if not user.is_staff:
        raise PermissionDenied(
            "Only the site’s staff decide on production access. How the request of your project stands is on its "
            "Project summary."
        )
    return ProductionAccessRequest.objects.select_related("project__company", "requested_by", "decided_by")


def production_request_of(user: User, request_id: UUID) -> ProductionAccessRequest:
    """One of them. Raises 403 for everybody but staff, 404 for what does not exist."""
    request = production_requests_of(user).filter(pk=request_id).first()
    if request is None:
        raise Http404
    return request
