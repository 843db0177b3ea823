"""Who is told what by the Developers portal. Called inside the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from connect import notices
from connect.administrators import site_staff
from connect.models import User
from portal.models import Credential, Environment, ProductionAccessRequest, ProductionState, Project, Role


def tell_production_requested(request: ProductionAccessRequest, *, now: datetime) -> None:
    """Tell the staff, one of whom decides; not who asked."""
    link = reverse("portal:production_request", args=[request.pk])
    deciders = site_staff().exclude(pk=request.requested_by_id)
    # What goes to the staff is not on the project's page: it would tell who they are.
    _tell_of_request("portal.production-access-requested", request, to=deciders, link=link, now=now, scope="")


def tell_production_decided(request: ProductionAccessRequest, *, now: datetime) -> None:
    """Tell the project's admins."""
    kind, link = "portal.production-access-refused", reverse("portal:production_access", args=[request.project_id])
    if request.state == ProductionState.APPROVED:
        kind = "portal.production-access-granted"
        link = reverse("portal:credentials", args=[request.project_id, Environment.PRODUCTION])
    to, scope = admins_of(request.project), str(request.project_id)
    _tell_of_request(kind, request, to=to, link=link, now=now, scope=scope)


def tell_credential_ended(credential: Credential, *, cause: str, new_key: bool, now: datetime) -> None:
    """Tell the project's admins of an ending that they did not bring about on the project's own pages.

    ``cause`` completes “… because”; ``new_key`` says that what replaces it needs another key.
    """
    certificate, project = credential.certificate, credential.project
    notices.announce(
        "portal.credential-ended",
        event=f"portal.credential-ended:{credential.pk}",
        to=notices.people(admins_of(project)),
        company=project.company,
        scope=str(project.pk),
        link=reverse("portal:add_certificate", args=[project.pk, credential.environment]),
        now=now,
        context={
            "alias": credential.alias,
            "project": project.name,
            "environment": Environment(credential.environment).label,
            "common_name": _one_line(certificate.common_name),
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "cause": _one_line(cause),
            "new_key": new_key,
            "now": now,
        },
    )


def admins_of(project: Project) -> Iterable[User]:
    """The project's admins, by name."""
    return User.objects.filter(memberships__project=project, memberships__role=Role.ADMIN).order_by("name", "email")


def _tell_of_request(
    kind: str, request: ProductionAccessRequest, *, to: Iterable[User], link: str, now: datetime, scope: str
) -> None:
    project = request.project
    notices.announce(
        kind,
        event=f"{kind}:{request.pk}",
        to=notices.people(to),
        company=project.company,
        scope=scope,
        link=link,
        now=now,
        context={
            "project": project.name,
            "company_name": project.company.name,
            "cid": project.company.cid,
            "person": request.requested_by.name,
            "email": request.requested_by.email,
            "note": request.note,
            "reason": request.reason,
        },
    )


def _one_line(text: str) -> str:
    """Names from certificates of other CAs may hold line ends, which would make lines of their own in a mail."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
