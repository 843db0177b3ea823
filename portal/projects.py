"""Create and delete projects."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from audit.events import Actor, record
from certauthority.models import RevocationReason
from connect.models import User
from connect.webhooks import administration as webhooks
from portal import revocation
from portal.errors import NotAllowed
from portal.models import EndReason, Membership, Project, Role
from portal.records import audited_project


def create_project(name: str, *, by: User, actor: Actor, now: datetime) -> Project:
    """Create a project of the person's company, with that person as its first admin.

    Raises:
        NotAllowed: the person has no company, or the company has a live project of that name.
    """
    if by.company is None:
        raise NotAllowed("Your account belongs to no company, so it cannot own projects. Ask the site's staff.")
    try:
        with transaction.atomic():
            project = Project.objects.create(company=by.company, name=name, created_at=now)
            Membership.objects.create(project=project, user=by, role=Role.ADMIN, since=now)
            record(
                "project.created",
                actor=actor,
                on=audited_project(project),
                now=now,
                after={"name": name, "company": by.company.name},
            )
    except IntegrityError:
        if not Project.objects.filter(company=by.company, name__iexact=name, deleted_at=None).exists():
            raise
        raise NotAllowed(f"{by.company.name} has a project called {name} already. Choose another name.") from None
    return project


@transaction.atomic
def delete_project(project: Project, *, actor: Actor, now: datetime) -> int:
    """Delete a project for good: its live certificates are ended first. Returns how many those were.

    The row stays for the audit; nobody sees it any more, and its name is free again.
    """
    row = Project.objects.select_for_update(of=("self",)).select_related("company").get(pk=project.pk)
    if row.deleted_at is not None:
        return 0
    ended = 0
    for credential in row.credentials.filter(ended_at=None).order_by("pk").iterator(chunk_size=500):
        ended += revocation.end(
            credential,
            reason=RevocationReason.CESSATION_OF_OPERATION,
            actor=actor,
            now=now,
            use_ended=EndReason.PROJECT_DELETED,
        )
    webhooks.end_all(str(row.pk), actor=actor, now=now)
    row.deleted_at = now
    row.save(update_fields=["deleted_at"])
    record(
        "project.deleted",
        actor=actor,
        on=audited_project(row),
        now=now,
        before={"name": row.name},
        after={"ended": ended},
    )
    return ended
