"""How Connect's objects are named in the audit log."""

from __future__ import annotations

from audit.events import AuditedObject
from connect.catalogue import application_of
from connect.models import AccessRequest, Company


def names_of(request: AccessRequest) -> tuple[str, str]:
    """The application and the level of a request, in words; their codes where the Store has dropped them."""
    application = application_of(request.application)
    if application is None:
        return request.application, request.level
    level = application.level(request.level)
    return application.name, level.label if level else request.level


def audited(request: AccessRequest) -> AuditedObject:
    """An access request: whose, and for what."""
    application, level = names_of(request)
    return AuditedObject(
        type="access-request",
        id=str(request.pk),
        label=f"{request.user.email}: {application}, {level}",
        company=str(request.company_id),
        clock_ahead=request.company.clock_ahead,
    )


def audited_company(company: Company) -> AuditedObject:
    """A company."""
    return AuditedObject(
        type="company",
        id=str(company.pk),
        label=company.name,
        company=str(company.pk),
        clock_ahead=company.clock_ahead,
    )
