"""What the subject of a project's certificates must be (portals' rules for CSRs that our CA signs)."""

from __future__ import annotations

from certauthority.x509.subject_rules import SubjectRequirement
from portal.models import Environment, Project


def requirement_of(project: Project, environment: Environment) -> SubjectRequirement:
    """The subject rules of this environment of this project."""
    company = project.company
    return SubjectRequirement(
        environment_code=environment.code,
        cid=company.certificate_cid,
        organisation=company.name,
        organisational_unit=project.name,
        country=company.country,
    )


def holder_of(project: Project) -> str:
    """Whose a public key is that comes with one of the project's certificates."""
    return str(project.company_id)
