"""Who is told what by the Developers portal. Called inside the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.urls import reverse

from audit.events import Actor
from certauthority.models import RevocationReason
from connect import notices
from connect.administrators import site_staff
from connect.certificate_facts import Fact, fact, identity, in_words
from connect.clock import company_time
from connect.models import User
from connect.text import one_line
from portal.credentials import common_name_in
from portal.models import (
    Credential,
    CredentialMethod,
    EndReason,
    Environment,
    ProductionAccessRequest,
    ProductionState,
    Project,
    Role,
)

_NAME = 254
_CAUSE = 300


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
        watched=f"portal:{credential.pk}",
        link=reverse("portal:add_certificate", args=[project.pk, credential.environment]),
        now=now,
        context={
            "alias": credential.alias,
            "project": project.name,
            "environment": Environment(credential.environment).label,
            "common_name": one_line(certificate.common_name, at_most=_NAME),
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "cause": one_line(cause, at_most=_CAUSE),
            "new_key": new_key,
            "now": now,
        },
    )


def tell_credential_added(credential: Credential) -> None:
    """Tell the project's admins of a new certificate, and of what it replaces; at the moment at which it was added."""
    certificate, predecessor = credential.certificate, credential.predecessor
    company_now = company_time(credential.project.company, credential.created_at)
    _tell_of_credential(
        "portal.credential-added",
        credential,
        link=reverse("portal:credential", args=[credential.project_id, credential.environment, credential.pk]),
        now=credential.created_at,
        context={
            "replaces": one_line(predecessor.alias, at_most=_NAME) if predecessor else "",
            "replaced_is_live": predecessor is not None and predecessor.ended_at is None,
            "replaced_has_expired": predecessor is not None and predecessor.certificate.not_after < company_now,
            "by": one_line(credential.created_by, at_most=_NAME),
            "method": CredentialMethod(credential.method).label,
            "facts": [
                *_facts(credential),
                Fact("Valid from", in_words(certificate.not_before)),
                Fact("Expires", in_words(certificate.not_after)),
            ],
        },
    )


def tell_credential_revoked(credential: Credential, *, reason: RevocationReason, actor: Actor, now: datetime) -> None:
    """Tell the project's admins that one of them has ended a certificate, and whether another one can take over."""
    company_now = company_time(credential.project.company, now)
    live = credential.successors.filter(ended_at=None, expires_at__gte=company_now)
    successor = live.order_by("created_at").last()
    is_revoked = credential.end_reason == EndReason.REVOKED
    _tell_of_credential(
        "portal.credential-revoked",
        credential,
        link=_after_an_end(credential, successor),
        now=now,
        context={
            "is_revoked": is_revoked,
            "by": one_line(actor.name, at_most=_NAME),
            "reason": reason.label,
            "successor": one_line(successor.alias, at_most=_NAME) if successor else "",
            "new_key": reason == RevocationReason.KEY_COMPROMISE,
            "facts": [*_facts(credential), Fact("Revoked" if is_revoked else "Use ended", in_words(now))],
        },
    )


def _after_an_end(credential: Credential, successor: Credential | None) -> str:
    """The next step: look after the successor, or add one."""
    place = [credential.project_id, credential.environment]
    if successor is not None:
        return reverse("portal:credential", args=[*place, successor.pk])
    return reverse("portal:add_certificate", args=place)


def _tell_of_credential(
    kind: str, credential: Credential, *, link: str, now: datetime, context: Mapping[str, object]
) -> None:
    project = credential.project
    notices.announce(
        kind,
        event=f"{kind}:{credential.pk}",
        to=notices.people(admins_of(project)),
        company=project.company,
        scope=str(project.pk),
        watched=f"portal:{credential.pk}",
        link=link,
        now=now,
        context={
            "alias": one_line(credential.alias, at_most=_NAME),
            "project": one_line(project.name, at_most=_NAME),
            "environment": Environment(credential.environment).label,
            **context,
        },
    )


def _facts(credential: Credential) -> Iterator[Fact]:
    certificate = credential.certificate
    yield fact("Certificate", credential.alias)
    yield fact("Project", credential.project.name)
    yield fact("Environment", Environment(credential.environment).label)
    issuer = certificate.authority.label if certificate.authority else common_name_in(certificate.issuer)
    yield from identity(
        common_name=certificate.common_name,
        serial=certificate.serial,
        fingerprint=certificate.fingerprint,
        issuer=issuer,
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
