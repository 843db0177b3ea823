"""How the portal's objects are named in the audit log."""

from __future__ import annotations

from audit.events import AuditedObject
from portal.models import Credential, Project


def audited(credential: Credential) -> AuditedObject:
    """A credential: alias, and where it is."""
    return AuditedObject(
        type="credential",
        id=str(credential.pk),
        label=credential.alias,
        company=str(credential.project.company_id),
        project=str(credential.project_id),
        clock_ahead=credential.project.company.clock_ahead,
    )


def audited_project(project: Project) -> AuditedObject:
    """A project."""
    return AuditedObject(
        type="project",
        id=str(project.pk),
        label=project.name,
        company=str(project.company_id),
        project=str(project.pk),
        clock_ahead=project.company.clock_ahead,
    )
