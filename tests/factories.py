"""Objects for tests, made by the use-cases that users call. A test names only what matters to it."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from audit.events import Actor
from certauthority.models import Certificate
from certauthority.x509.requests import PrivateKey, build_request, new_private_key
from connect.models import Company, User
from portal.enrolment import NewCredential, add_from_csr
from portal.models import Credential, CredentialMethod, Environment, Membership, Project, Role
from portal.projects import create_project
from portal.requirements import requirement_of

PASSWORD = "correct horse battery staple"


class Numbers:
    """1, 2, 3 and so on, in each test from the beginning: what it gets does not depend on the tests before it."""

    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        self._count = itertools.count(1)

    def __next__(self) -> int:
        return next(self._count)


numbers = Numbers()


def make_company(**fields: Any) -> Company:
    """A verified company, unless told otherwise."""
    number = next(numbers)
    values = {
        "name": f"Company {number} Ltd",
        "cid": f"{500_000 + number}",
        "country": "GB",
        "verified_at": timezone.now(),
    }
    return Company.objects.create(**{**values, **fields})


def make_user(**fields: Any) -> User:
    """Somebody of a new company, unless told otherwise."""
    number = next(numbers)
    email = f"person{number}@company.example"
    values: dict[str, Any] = {"email": email, "password": PASSWORD, "name": f"Person {number}"}
    if "company" not in fields:
        values["company"] = make_company()
    return User.objects.create_user(**{**values, **fields})


def make_project(*, admin: User | None = None, name: str = "", now: datetime | None = None) -> Project:
    """A project with one admin."""
    admin = admin or make_user()
    return create_project(
        name or f"Project {next(numbers)}", by=admin, actor=Actor(admin.email), now=now or timezone.now()
    )


def make_member(project: Project, role: Role = Role.READ_ONLY, **fields: Any) -> User:
    """Somebody of the project's company who is on the team."""
    user = make_user(company=project.company, **fields)
    Membership.objects.create(project=project, user=user, role=role, since=timezone.now())
    return user


def subject_for(
    project: Project, environment: Environment = Environment.SANDBOX, *, unique: str = ""
) -> list[tuple[str, str]]:
    """The attributes that the project's rules ask for."""
    requirement = requirement_of(project, environment)
    common_name = requirement.example_common_name(unique or str(1_700_000_000 + next(numbers)))
    country = [("C", requirement.country)] if requirement.country else []
    return [*country, ("O", requirement.organisation), ("OU", requirement.organisational_unit), ("CN", common_name)]


def make_csr(
    project: Project,
    environment: Environment = Environment.SANDBOX,
    *,
    unique: str = "",
    key: PrivateKey | None = None,
) -> bytes:
    """PEM of a CSR that keeps every rule of the project."""
    return build_request(subject_for(project, environment, unique=unique), key or new_private_key())


def make_credential(
    project: Project,
    environment: Environment = Environment.SANDBOX,
    *,
    alias: str = "",
    csr: bytes | None = None,
    method: CredentialMethod = CredentialMethod.UPLOADED_CSR,
    predecessor: Credential | None = None,
    now: datetime | None = None,
) -> Credential:
    """A live credential, issued by the Developers CA."""
    new = NewCredential(
        project=project,
        environment=environment,
        alias=alias or f"alias-{next(numbers)}",
        method=method,
        submission=uuid.uuid4(),
        predecessor=predecessor,
    )
    data = csr if csr is not None else make_csr(project, environment)
    return add_from_csr(new, data, actor=Actor("factory"), now=now or timezone.now())


def let_expire(credential: Credential, *, in_days: int) -> None:
    """Make a certificate end so many days from now; below zero it has expired. Its DER keeps the true end."""
    end = timezone.now() + timedelta(days=in_days)
    Certificate.objects.filter(pk=credential.certificate_id).update(not_after=end)


def make_many_credentials(
    project: Project, count: int, environment: Environment = Environment.SANDBOX, **fields: Any
) -> list[Credential]:
    """Live credentials in bulk, without keys or signatures: for pages and queries that must bear many."""
    now = timezone.now()
    certificates = []
    for _ in range(count):
        number = next(numbers)
        values = {
            "issuer_digest": "f" * 64,
            "issuer": "CN=Bulk",
            "serial": f"{number:x}",
            "subject": f"CN={number}-Client-MTF-000000",
            "subject_digest": f"{number:064x}",
            "common_name": f"{number}-Client-MTF-000000",
            "fingerprint": f"{number:064x}",
            "public_key_fingerprint": f"{number:064x}",
            "key_description": "EC P-256",
            "not_before": now - timedelta(days=30),
            "not_after": now + timedelta(days=300),
            "der": b"",
            "recorded_at": now,
        }
        certificates.append(Certificate(**{**values, **fields}))
    Certificate.objects.bulk_create(certificates, batch_size=1000)
    return Credential.objects.bulk_create(
        Credential(
            project=project,
            environment=environment,
            alias=f"bulk-{certificate.serial}",
            certificate=certificate,
            subject_digest=certificate.subject_digest,
            method=CredentialMethod.UPLOADED_CERTIFICATE,
            submission=uuid.uuid4(),
            created_at=now,
            created_by="factory",
        )
        for certificate in certificates
    )
