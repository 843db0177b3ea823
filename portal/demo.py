"""The demo data of the Developers portal: made by the use-cases that users call, with ``now`` given.

Private keys are made, used once and thrown away: nobody can use the demo certificates, only look at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from audit.events import Actor
from certauthority.models import RevocationReason
from certauthority.x509.profile import add_months
from certauthority.x509.requests import build_request, new_private_key
from connect.demo import ACME, DEMO_ACCOUNTS, DEMO_PASSWORD, GLOBEX
from connect.demo_dates import issued_for_days_left
from connect.models import Company, User
from portal import news, revocation, team
from portal.demo_use import ROTATION_BEGAN, ROTATION_ENDED, record_demo_use
from portal.enrolment import NewCredential, add_from_csr
from portal.models import Credential, CredentialMethod, Environment, Project, Role
from portal.production_access import decide_production_access, request_production_access
from portal.projects import create_project
from portal.requirements import requirement_of


@dataclass(frozen=True, slots=True)
class DemoCertificate:
    """One certificate of the demo: where, under which alias, and when it was issued."""

    alias: str
    environment: Environment
    issued_at: datetime
    rsa_bits: int | None = 2048


@transaction.atomic
def create_demo_data(*, now: datetime) -> bool:
    """Make companies, accounts, projects and certificates. Returns False where there are accounts already."""
    if User.objects.exists():
        return False
    people = _create_people(now=now)
    _create_checkout_api(people, now=now)
    charlie = people["developer@globex.example"]
    create_project("Payouts", by=charlie, actor=Actor(charlie.email), now=now - timedelta(days=20))
    news.tell()
    return True


def _create_people(*, now: datetime) -> dict[str, User]:
    companies = {
        ACME: Company.objects.create(name=ACME, cid="123456", country="GB", verified_at=add_months(now, -14)),
        GLOBEX: Company.objects.create(name=GLOBEX, country="DE"),
    }
    people = {}
    for account in DEMO_ACCOUNTS:
        people[account.email] = User.objects.create_user(
            account.email,
            DEMO_PASSWORD,
            name=account.name,
            company=companies.get(account.company),
            is_staff=account.is_staff,
            is_superuser=account.is_staff,
        )
    return people


def _create_checkout_api(people: dict[str, User], *, now: datetime) -> None:
    alice = people["admin@acme.example"]
    actor = Actor(alice.email)
    project = create_project("Checkout API", by=alice, actor=actor, now=add_months(now, -14))
    team.invite(project, email="reader@acme.example", role=Role.READ_ONLY, actor=actor, now=add_months(now, -14))
    # In the order of time, as the page Activity shows it.
    for certificate in (
        DemoCertificate("checkout-mtf-2025", Environment.SANDBOX, add_months(now, -14)),
        DemoCertificate("checkout-mtf", Environment.SANDBOX, issued_for_days_left(12, now=now)),
    ):
        _issue(project, certificate, actor=actor)
    _approve_production(project, by=people["keymanagement@rehearsal.example"], admin=alice, now=add_months(now, -7))
    _issue(project, DemoCertificate("checkout-prod", Environment.PRODUCTION, add_months(now, -6)), actor=actor)
    _rotate(project, actor=actor, now=now)
    record_demo_use(project, now=now)


def _rotate(project: Project, *, actor: Actor, now: datetime) -> None:
    """A rotation as it should be: the new one is added and used before the old one is revoked."""
    begun = DemoCertificate("reconciliation-old", Environment.SANDBOX, add_months(now, -5), None)
    old = _issue(project, begun, actor=actor)
    replacement = DemoCertificate("reconciliation", Environment.SANDBOX, now - ROTATION_BEGAN, None)
    _issue(project, replacement, predecessor=old, actor=actor)
    revocation.revoke(old, reason=RevocationReason.SUPERSEDED, actor=actor, now=now - ROTATION_ENDED)


def _approve_production(project: Project, *, by: User, admin: User, now: datetime) -> None:
    """Production access, approved by staff a day after the admin has asked for it."""
    note = "Tested in Sandbox for half a year. Payments of our own shop only."
    asked = request_production_access(project, by=admin, note=note, actor=Actor(admin.email), now=now)
    decided_at = now + timedelta(days=1)
    decide_production_access(asked, by=by, approve=True, reason="", actor=Actor(by.email), now=decided_at)


def _issue(
    project: Project, certificate: DemoCertificate, *, predecessor: Credential | None = None, actor: Actor
) -> Credential:
    requirement = requirement_of(project, certificate.environment)
    subject = requirement.example_subject(str(int(certificate.issued_at.timestamp())))
    new = NewCredential(
        project=project,
        environment=certificate.environment,
        alias=certificate.alias,
        method=CredentialMethod.UPLOADED_CSR,
        submission=uuid4(),
        predecessor=predecessor,
    )
    csr = build_request(subject, new_private_key(rsa_bits=certificate.rsa_bits))
    return add_from_csr(new, csr, actor=actor, now=certificate.issued_at)
