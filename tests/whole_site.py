"""One of everything that an address of the site can name, and one person of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from audit.events import Actor
from certauthority import trust
from certauthority.models import TrustedAuthority
from connect.models import Company, User
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.projects import delete_project
from tests.factories import make_company, make_credential, make_member, make_project, make_user
from tests.portal.foreign_ca import ForeignCa


@dataclass(frozen=True, slots=True)
class WholeSite:
    """Alice owns ``project``, the reader and ``member`` may look; the stranger owns ``foreign`` at another company.

    The key of ``credential`` was made in a browser, and nobody has said yet that the keystore is saved.
    """

    admin: User
    reader: User
    member: User
    stranger: User
    staff: User
    project: Project
    credential: Credential
    foreign: Project
    foreign_credential: Credential
    deleted: Project
    deleted_credential: Credential
    trusted_ca: TrustedAuthority

    @property
    def company(self) -> Company:
        return self.project.company

    def client(self, person: str, **options: Any) -> Client:
        """A browser of one person; ``anonymous`` is nobody."""
        client = Client(**options)
        if person != "anonymous":
            client.force_login(getattr(self, person))
        return client

    def parameters(self, **other: Any) -> dict[str, Any]:
        """A value for every name that stands in an address: objects of the admin's project, unless told otherwise."""
        return {
            "project_id": self.project.pk,
            "environment": Environment.SANDBOX,
            "credential_id": self.credential.pk,
            "user_id": self.member.pk,
            "trusted_ca_id": self.trusted_ca.pk,
            "format_name": "pem",
            "name": "developers",
            **other,
        }


def make_whole_site() -> WholeSite:
    """Everything, made by the use-cases; it needs the fixture ``authorities``."""
    now = timezone.now()
    admin = make_user(
        email="alice@acme.example", name="Alice Marlow", company=make_company(name="Acme Payments Ltd", cid="123456")
    )
    stranger = make_user(email="charlie@globex.example", name="Charlie Okafor")
    project = make_project(admin=admin, name="Checkout API")
    foreign = make_project(admin=stranger, name="Foreign Payouts")
    deleted = make_project(admin=admin, name="Gone")
    deleted_credential = make_credential(deleted, alias="gone-one")
    delete_project(deleted, actor=Actor(admin.email), now=now)
    return WholeSite(
        admin=admin,
        reader=make_member(project, email="bob@acme.example", name="Bob Tran"),
        member=make_member(project, email="dora@acme.example", name="Dora Lind"),
        stranger=stranger,
        staff=make_user(email="staff@site.example", name="Site Staff", company=None, is_staff=True, is_superuser=True),
        project=project,
        credential=make_credential(project, alias="payouts", method=CredentialMethod.GENERATED_KEY),
        foreign=foreign,
        foreign_credential=make_credential(foreign, alias="foreign-secret-alias"),
        deleted=deleted,
        deleted_credential=deleted_credential,
        trusted_ca=trust.add(ForeignCa().pem, note="", actor=Actor("staff@site.example"), now=now),
    )


@dataclass(frozen=True, slots=True)
class Route:
    """One address pattern of the site. ``name`` has its namespace; a pattern without a name has its text there."""

    name: str
    pattern: str
    parameters: tuple[str, ...]


def routes() -> list[Route]:
    """Every address of the URL conf, in order."""
    return list(_walk(get_resolver().url_patterns, namespace="", prefix="", outer=()))


def _walk(
    patterns: list[URLPattern | URLResolver], *, namespace: str, prefix: str, outer: tuple[str, ...]
) -> Iterator[Route]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        named = (*outer, *pattern.pattern.converters) if hasattr(pattern.pattern, "converters") else outer
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, namespace=inner, prefix=text, outer=named)
        else:
            yield Route(f"{namespace}{pattern.name or text}", text, named)
