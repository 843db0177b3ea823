"""The credentials page with 10,000 certificates in the project: server time and number of queries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from bench.report import Result, at_most, seconds
from certauthority.authorities import newest_authority
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from connect.models import Company, User
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.projects import create_project

FEW, MANY = 100, 10_000
MILLISECONDS = 100


def measure() -> Iterator[Result]:
    """Median server time, and whether the queries grow with the certificates."""
    company = Company.objects.create(name="Pages Ltd", verified_at=timezone.now())
    user = User.objects.create_user("pages@bench.example", name="Bench", company=company)
    project = create_project("Pages", by=user, actor=Actor(user.email), now=timezone.now())
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    limited = ("live", "all", "last page")
    addresses = {
        "live": reverse("portal:credentials", args=[project.pk, Environment.SANDBOX]),
        "all": reverse("portal:credentials", args=[project.pk, Environment.SANDBOX]) + "?show=all",
        "last page": reverse("portal:credentials", args=[project.pk, Environment.SANDBOX]) + "?show=all&page=200",
        "project summary": reverse("portal:project", args=[project.pk]),
        "my projects": reverse("portal:projects"),
    }
    fill(project, FEW)
    few = {name: _queries(client, address) for name, address in addresses.items()}
    fill(project, MANY - FEW)
    for name, address in addresses.items():
        yield at_most(f"queries of {name}: more than with {FEW}", _queries(client, address) - few[name], 0, "queries")
        spent = seconds(partial(_get, client, address), times=15) * 1000
        title, queries = f"{name} with {MANY:,} certificates", f", {few[name]} queries"
        if name in limited:
            yield at_most(title, spent, MILLISECONDS, "ms", queries)
        else:
            yield Result(title, f"{spent:.4g} ms{queries}")


def fill(project: Project, count: int) -> None:
    """Rows as the use-cases write them, a third of them revoked or expired; the DER is not a real certificate."""
    now, authority = timezone.now(), newest_authority(AuthorityPurpose.DEVELOPERS)
    certificates, credentials = [], []
    for number in range(count):
        digest = hashlib.sha256(uuid4().bytes).hexdigest()
        certificate = Certificate(
            authority=authority,
            issuer_digest=digest,
            issuer="CN=Rehearsal Developers CA,O=mTLS Rehearsal",
            serial=digest[:40],
            subject=f"CN={number}-Client-MTF-654321,O=Pages Ltd",
            subject_digest=digest,
            common_name=f"{number}-Client-MTF-654321",
            fingerprint=digest,
            public_key_fingerprint=digest,
            key_description="RSA 2048",
            not_before=now - timedelta(days=60),
            not_after=now + timedelta(days=-10 if number % 6 == 0 else number % 390),
            der=digest.encode(),
            recorded_at=now,
            linted_at=now,
        )
        ended = number % 6 == 1
        certificates.append(certificate)
        credentials.append(
            Credential(
                project=project,
                environment=Environment.SANDBOX,
                alias=f"alias-{digest[:24]}",
                certificate=certificate,
                subject_digest=digest,
                method=CredentialMethod.UPLOADED_CSR,
                submission=uuid4(),
                created_at=now - timedelta(seconds=number),
                created_by="bench",
                ended_at=now if ended else None,
                end_reason="revoked" if ended else "",
            )
        )
    Certificate.objects.bulk_create(certificates, batch_size=2_000)
    Credential.objects.bulk_create(credentials, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _get(client: Client, address: str) -> None:
    response = client.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        _get(client, address)
    return len(captured)
