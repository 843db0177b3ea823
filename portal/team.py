"""Who is on a project, and as what."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from audit.events import Actor, record
from connect.models import User
from portal.errors import NotAllowed
from portal.models import Membership, Project, Role
from portal.records import audited_project


@transaction.atomic
def invite(project: Project, *, email: str, role: Role, actor: Actor, now: datetime) -> Membership:
    """Put an existing account of the project's company on the team.

    Raises:
        NotAllowed: there is no such account in the company, it is on the team, or the team is full.
    """
    _hold(project)
    user = User.objects.filter(email__iexact=email.strip(), company=project.company, is_active=True).first()
    if user is None:
        raise NotAllowed(
            f"{project.company.name} has no account with this address. Check the spelling, or ask the site's staff to "
            "create the account."
        )
    if Membership.objects.filter(project=project, user=user).exists():
        raise NotAllowed(f"{user.email} is on the team already. Change the role in the list instead.")
    if Membership.objects.filter(project=project).count() >= settings.PROJECT_MAX_MEMBERS:
        raise NotAllowed(f"A team has at most {settings.PROJECT_MAX_MEMBERS} members. Remove somebody first.")
    if role == Role.ADMIN:
        _refuse_another_admin(project)
    membership = Membership.objects.create(project=project, user=user, role=role, since=now)
    record(
        "member.invited",
        actor=actor,
        on=audited_project(project),
        now=now,
        after={"member": user.email, "role": role.label},
    )
    return membership


@transaction.atomic
def change_role(membership: Membership, *, role: Role, actor: Actor, now: datetime) -> bool:
    """Give a member another role. Returns False where it is the same.

    Raises:
        NotAllowed: there are enough admins, or it would leave none.
    """
    _hold(membership.project)
    row = _current(membership)
    if row.role == role:
        return False
    if role == Role.ADMIN:
        _refuse_another_admin(row.project)
    else:
        _refuse_without_admin(row)
    before = Role(row.role)
    row.role = role
    row.save(update_fields=["role"])
    record(
        "member.role-changed",
        actor=actor,
        on=audited_project(row.project),
        now=now,
        before={"member": row.user.email, "role": before.label},
        after={"member": row.user.email, "role": role.label},
    )
    return True


@transaction.atomic
def remove(membership: Membership, *, actor: Actor, now: datetime) -> None:
    """Take a member off the team.

    Raises:
        NotAllowed: it would leave the project without an admin.
    """
    _hold(membership.project)
    row = _current(membership)
    if row.role == Role.ADMIN:
        _refuse_without_admin(row)
    record(
        "member.removed",
        actor=actor,
        on=audited_project(row.project),
        now=now,
        before={"member": row.user.email, "role": Role(row.role).label},
    )
    row.delete()


def _hold(project: Project) -> None:
    """Two changes of one team come one after the other, so that the limits hold."""
    Project.objects.select_for_update(of=("self",)).get(pk=project.pk)


def _current(membership: Membership) -> Membership:
    row = Membership.objects.filter(pk=membership.pk).select_related("project__company", "user").first()
    if row is None:
        raise NotAllowed("This person was taken off the team a moment ago.")
    return row


def _refuse_another_admin(project: Project) -> None:
    if Membership.objects.filter(project=project, role=Role.ADMIN).count() >= settings.PROJECT_MAX_ADMINS:
        raise NotAllowed(
            f"A project has at most {settings.PROJECT_MAX_ADMINS} admins. Make one of them a read-only member first."
        )


def _refuse_without_admin(membership: Membership) -> None:
    others = Membership.objects.filter(project=membership.project, role=Role.ADMIN).exclude(pk=membership.pk)
    if not others.exists():
        raise NotAllowed(f"{membership.user.email} is the project's only admin. Make somebody else an admin first.")
