"""The credentials of projects, as Connect watches their ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.urls import reverse

from audit.events import AuditedObject
from connect.expiry.sources import Lifetime, Source
from connect.models import Company, User
from connect.notices import Recipient, people
from portal.access import memberships_of
from portal.credentials import common_name_in, with_certificates
from portal.models import Credential, Environment, Membership, Project, Role
from portal.records import audited


class Credentials(Source):
    """Live credentials of every project. Their ends are told to the project's admins."""

    name: ClassVar[str] = "portal"
    label: ClassVar[str] = "Developers portal"
    place_label: ClassVar[str] = "Project"
    told_because: ClassVar[str] = "You get this because you are an admin of the project {place}."
    expiry: ClassVar[str] = "certificate__not_after"
    company: ClassVar[str] = "project__company"
    scope: ClassVar[str] = "project"
    since: ClassVar[str] = "created_at"
    audit_prefix: ClassVar[str] = "credential."

    def rows(self) -> QuerySet[Credential]:
        return Credential.objects.filter(ended_at=None)

    def awaited(self) -> QuerySet[Credential]:
        return self.rows()

    def scopes(self, companies: QuerySet[Company]) -> QuerySet[Project]:
        return Project.objects.filter(company__in=companies)

    def lifetimes(self, rows: QuerySet[Credential]) -> list[Lifetime]:
        successors = Credential.objects.select_related("certificate").order_by("created_at", "pk")
        ends = successors.only("alias", "ended_at", "created_at", "predecessor", "certificate__not_after")
        loaded = with_certificates(rows).select_related("project__company", "certificate__use")
        loaded = loaded.prefetch_related(None).prefetch_related(Prefetch("successors", queryset=ends))
        return [_lifetime(credential) for credential in loaded.defer("certificate__der", "certificate__uploaded_chain")]

    def recipients(self, lifetimes: Sequence[Lifetime]) -> Mapping[UUID, Sequence[Recipient]]:
        admins = Membership.objects.filter(
            project__in={lifetime.scope for lifetime in lifetimes}, role=Role.ADMIN, user__is_active=True
        ).select_related("user")
        of_project: dict[str, list[User]] = {}
        for membership in admins.order_by("user__name", "user__email"):
            of_project.setdefault(str(membership.project_id), []).append(membership.user)
        told = {scope: people(users) for scope, users in of_project.items()}
        return {lifetime.key: told.get(lifetime.scope, []) for lifetime in lifetimes}

    def scopes_of(self, user: User) -> Collection[str]:
        return {str(key) for key in memberships_of(user).values_list("project_id", flat=True)}

    def audited(self, row: Credential) -> AuditedObject:
        return audited(row)

    def speaking(self, rows: QuerySet[Credential]) -> QuerySet[Credential]:
        successors = Credential.objects.filter(predecessor=OuterRef("pk"), ended_at=None).order_by("-created_at", "-pk")
        return rows.annotate(successor_since=Subquery(successors.values("created_at")[:1])).filter(
            Q(successor_since=None) | Q(certificate__use__last_used_at__gte=F("successor_since"))
        )


def watched(credential: Credential) -> str:
    """How notices name a credential."""
    return f"{Credentials.name}:{credential.pk}"


def is_keeper(user: User, company: Company) -> bool:
    """Whether this person is an admin of one of the company's projects."""
    return memberships_of(user).filter(role=Role.ADMIN, project__company=company).exists()


def _lifetime(credential: Credential) -> Lifetime:
    certificate, project = credential.certificate, credential.project
    place = [project.pk, credential.environment]
    live = [successor for successor in credential.successors.all() if successor.ended_at is None]
    use = getattr(certificate, "use", None)
    return Lifetime(
        source=Credentials.name,
        key=credential.pk,
        company=project.company,
        scope=str(project.pk),
        name=credential.alias,
        common_name=certificate.common_name,
        serial=certificate.serial,
        fingerprint=certificate.fingerprint,
        issuer=certificate.authority.label if certificate.authority else common_name_in(certificate.issuer),
        environment=str(Environment(credential.environment).label),
        place=project.name,
        begins_at=certificate.not_before,
        expires_at=certificate.not_after,
        since=credential.created_at,
        url=reverse("portal:credential", args=[*place, credential.pk]),
        act_label=f"Revoke {credential.alias}" if live else f"Rotate {credential.alias}",
        act_url=reverse("portal:credential_revoke", args=[*place, credential.pk])
        if live
        else f"{reverse('portal:add_certificate', args=place)}?rotate={credential.pk}",
        successor=live[-1].alias if live else "",
        successor_key=live[-1].pk if live else None,
        successor_since=live[-1].created_at if live else None,
        successor_expires_at=live[-1].certificate.not_after if live else None,
        last_used_at=use.last_used_at if use is not None else None,
        next_notice_at=credential.next_notice_at,
        snoozed_until=credential.snoozed_until,
        snoozed_by=credential.snoozed_by,
    )
