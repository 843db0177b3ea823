"""What the subject of a project's certificates must be (portals' rules for CSRs that our CA signs)."""

from __future__ import annotations

from functools import lru_cache

from certauthority.x509.subject_rules import SubjectRequirement
from portal.models import Environment, Project


def requirement_of(project: Project, environment: Environment) -> SubjectRequirement:
    """The subject rules of this environment of this project."""
    company = project.company
    return _requirement(environment.code, company.certificate_cid, company.name, project.name, company.country)


@lru_cache(maxsize=256)
def _requirement(code: str, cid: str, organisation: str, unit: str, country: str) -> SubjectRequirement:
    """These values are the same for every certificate of a project, so they are checked once."""
    return SubjectRequirement(
        environment_code=code, cid=cid, organisation=organisation, organisational_unit=unit, country=country
    )


def holder_of(project: Project) -> str:
    """Whose a public key is that comes with one of the project's certificates."""
    return str(project.company_id)
