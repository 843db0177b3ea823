"""The credentials of projects, as Connect watches their ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from audit.events import AuditedObject
from certauthority.models import Authority
from connect.expiry.sources import Lifetime, Source, companies_by_key
from connect.models import Company, User
from connect.notices import Recipient, people_by_key
from portal.access import memberships_of
from portal.credentials import Row, common_name_in
from portal.models import Credential, Environment, Membership, Project, Role
from portal.records import audited

_COLUMNS = (
    "pk",
    "project",
    "project__name",
    "project__company",
    "environment",
    "alias",
    "created_at",
    "next_notice_at",
    "snoozed_until",
    "snoozed_by",
    "certificate__authority",
    "certificate__issuer",
    "certificate__common_name",
    "certificate__serial",
    "certificate__fingerprint",
    "certificate__not_before",
    "certificate__not_after",
    "certificate__use__last_used_at",
)


class Credentials(Source):
    """Live credentials of every project. Their ends are told to the project's admins."""

    name: ClassVar[str] = "portal"
    label: ClassVar[str] = "Developers portal"
    place_label: ClassVar[str] = "Project"
    told_because: ClassVar[str] = "You get this because you are an admin of the project {place}."
    expiry: ClassVar[str] = "expires_at"
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
        # Values, not objects: the scan reads thousands of them.
        found = list(rows.values(*_COLUMNS))
        companies = companies_by_key({row["project__company"] for row in found})
        authorities = {row.pk: row.label for row in Authority.objects.only("purpose", "generation").order_by()}
        successors = _successors([row["pk"] for row in found])
        return [
            _lifetime(
                row,
                company=companies[row["project__company"]],
                issuer=authorities.get(row["certificate__authority"]),
                successor=successors.get(row["pk"]),
            )
            for row in found
        ]

    def recipients(self, lifetimes: Sequence[Lifetime]) -> Mapping[UUID, Sequence[Recipient]]:
        # Keys, and each person once: an admin has many projects.
        admins = Membership.objects.filter(
            project__pk__any_of={UUID(lifetime.scope) for lifetime in lifetimes}, role=Role.ADMIN, user__is_active=True
        )
        found = list(admins.order_by("user__name", "user__email").values_list("project_id", "user_id"))
        people = people_by_key({user for _, user in found})
        told: dict[str, list[Recipient]] = {}
        for project, user in found:
            if user in people:
                told.setdefault(str(project), []).append(people[user])
        return {lifetime.key: told.get(lifetime.scope, []) for lifetime in lifetimes}

    def scopes_of(self, user: User) -> Collection[str]:
        return {str(key) for key in memberships_of(user).values_list("project_id", flat=True)}

    def audited(self, row: Credential) -> AuditedObject:
        return audited(row)

    def speaking(self, rows: QuerySet[Credential], *, now: Any) -> QuerySet[Credential]:
        successors = Credential.objects.filter(predecessor=OuterRef("pk"), ended_at=None).order_by("-created_at", "-pk")
        return rows.annotate(
            successor_since=Subquery(successors.values("created_at")[:1]),
            successor_ends=Subquery(successors.values("expires_at")[:1]),
        ).filter(
            Q(successor_since=None)
            | Q(successor_ends__lt=now)
            | Q(certificate__use__last_used_at__gte=F("successor_since"))
        )


def watched(credential: Credential) -> str:
    """How notices name a credential."""
    return f"{Credentials.name}:{credential.pk}"


def is_keeper(user: User, company: Company) -> bool:
    """Whether this person is an admin of one of the company's projects."""
    return memberships_of(user).filter(role=Role.ADMIN, project__company=company).exists()


def lifetimes_of(rows: Iterable[Row], *, company: Company) -> list[Lifetime]:
    """Rows of this company's projects that a page has read already, as a picture of them needs them: no notices."""
    return [_lifetime_of_row(row, company) for row in rows]


def _lifetime_of_row(row: Row, company: Company) -> Lifetime:
    credential, certificate, successor = row.credential, row.certificate, row.replaced_by
    return _lifetime(
        {
            "pk": credential.pk,
            "project": credential.project_id,
            "project__name": credential.project.name,
            "environment": credential.environment,
            "alias": credential.alias,
            "created_at": credential.created_at,
            "next_notice_at": None,
            "snoozed_until": None,
            "snoozed_by": "",
            "certificate__issuer": certificate.issuer,
            "certificate__common_name": certificate.common_name,
            "certificate__serial": certificate.serial,
            "certificate__fingerprint": certificate.fingerprint,
            "certificate__not_before": certificate.not_before,
            "certificate__not_after": certificate.not_after,
            "certificate__use__last_used_at": row.last_used_at,
        },
        company=company,
        issuer=row.issuer_label,
        successor=None
        if successor is None
        else {
            "pk": successor.pk,
            "alias": successor.alias,
            "created_at": successor.created_at,
            "certificate__not_after": successor.expires_at,
        },
    )


def _successors(keys: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """The newest live successor of each, by the key of what it replaces."""
    live = Credential.objects.filter(predecessor__pk__any_of=keys, ended_at=None).order_by("created_at", "pk")
    found = live.values("pk", "predecessor", "alias", "created_at", "certificate__not_after")
    return {row["predecessor"]: row for row in found if row["predecessor"] is not None}


def _lifetime(
    row: Mapping[str, Any], *, company: Company, issuer: str | None, successor: Mapping[str, Any] | None
) -> Lifetime:
    alias, environment = row["alias"], row["environment"]
    addresses = _addresses(environment)
    place = {"project": str(row["project"]), "key": str(row["pk"])}
    rotate = addresses.rotate.format(**place)
    page = addresses.page.format(**place)
    return Lifetime(
        source=Credentials.name,
        key=row["pk"],
        company=company,
        scope=place["project"],
        name=alias,
        common_name=row["certificate__common_name"],
        serial=row["certificate__serial"],
        fingerprint=row["certificate__fingerprint"],
        issuer=issuer or common_name_in(row["certificate__issuer"]),
        environment=str(Environment(environment).label),
        place=row["project__name"],
        begins_at=row["certificate__not_before"],
        expires_at=row["certificate__not_after"],
        since=row["created_at"],
        url=page,
        # Whatever still uses it stops when it is revoked: its page says what that is, and leads on from there.
        act_label=f"Open {alias}" if successor else f"Rotate {alias}",
        act_url=page if successor else rotate,
        successor=successor["alias"] if successor else "",
        successor_key=successor["pk"] if successor else None,
        successor_since=successor["created_at"] if successor else None,
        successor_expires_at=successor["certificate__not_after"] if successor else None,
        last_used_at=row["certificate__use__last_used_at"],
        next_notice_at=row["next_notice_at"],
        snoozed_until=row["snoozed_until"],
        snoozed_by=row["snoozed_by"],
        renew_label=f"Rotate {alias}",
        renew_url=rotate,
    )


class _Addresses(NamedTuple):
    """Paths for every credential of an environment: ``{project}`` and ``{key}`` stand for the ids."""

    page: str
    rotate: str


@cache
def _addresses(environment: str) -> _Addresses:
    project, key = UUID(int=1), UUID(int=2)
    found = (
        reverse("portal:credential", args=[project, environment, key]),
        f"{reverse('portal:add_certificate', args=[project, environment])}?rotate={key}",
    )
    return _Addresses(*(path.replace(str(project), "{project}").replace(str(key), "{key}") for path in found))
