"""Objects of KMP for tests, made by the use-cases that users call. A test names only what matters to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from certauthority import issuance, policy
from certauthority.authorities import newest_authority
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.x509.attribute_rules import DnRules
from certauthority.x509.requests import PrivateKey, build_request, new_private_key
from connect.clock import company_time
from connect.models import AccessRequest, AccessState, Company, User
from connect.officers import KMP, OFFICER_LEVEL
from kmp.applications import create_applications
from kmp.dn_requirements import requirement_of, rules_of
from kmp.entries import add_entry
from kmp.models import Application, EntryState, Environment, InventoryEntry, Profile
from tests.factories import Numbers, make_company, make_user

XBS = "xbs-api-mtls"
PORTAL_CLIENT = "developers-portal-client"
numbers = Numbers()


def make_officer(company: Company | None = None, **fields: Any) -> User:
    """A security officer, of a new company with a group e-mail unless told otherwise."""
    company = company or make_company(group_email="certificates@company.example")
    user = make_user(company=company, **fields)
    grant_kmp(user)
    return user


def grant_kmp(user: User, *, by: User | None = None) -> AccessRequest:
    """Make somebody who has a company its security officer."""
    now = timezone.now()
    assert user.company is not None
    return AccessRequest.objects.create(
        user=user,
        company=user.company,
        application=KMP,
        level=OFFICER_LEVEL,
        state=AccessState.GRANTED,
        requested_at=now,
        decided_at=now,
        decided_by=by or make_user(company=user.company, is_security_administrator=True),
    )


def application_of(code: str) -> Application:
    """One of the applications that every site has; they are made at the first call."""
    create_applications()
    return Application.objects.get(code=code)


def rules_for(company: Company, code: str = PORTAL_CLIENT, environment: Environment = Environment.MTF) -> DnRules:
    """What the name of the company's certificates for one application must be."""
    requirement = requirement_of(application_of(code), environment)
    assert requirement is not None
    return rules_of(requirement, company)


def make_kmp_csr(rules: DnRules, *, unique: str = "", key: PrivateKey | None = None) -> bytes:
    """PEM of a CSR that keeps the rules."""
    subject = rules.example_subject(unique or str(1_700_000_000 + next(numbers)))
    return build_request(subject, key or new_private_key())


def make_entry(
    company: Company | None = None,
    code: str = PORTAL_CLIENT,
    environment: Environment = Environment.MTF,
    *,
    unique: str = "",
    key: PrivateKey | None = None,
    alternative_names: tuple[str, ...] = (),
    renews: InventoryEntry | None = None,
    now: datetime | None = None,
) -> InventoryEntry:
    """A certificate of the KMP CA in the inventory. One that renews another has its company, application and place."""
    now = now or timezone.now()
    company = renews.company if renews else company or make_company()
    code, environment = (renews.application.code, Environment(renews.environment)) if renews else (code, environment)
    rules = rules_for(company, code, environment)
    data = make_kmp_csr(rules, unique=unique, key=key)
    with transaction.atomic():
        judgement = policy.judge_request(data, requirement=rules, holder=str(company.pk))
        certificate = issuance.issue(
            judgement,
            purpose=AuthorityPurpose.KMP,
            now=now,
            counted_from=company_time(company, now),
            alternative_names=alternative_names,
        )
        return add_entry(
            company=company,
            application=application_of(code),
            environment=environment,
            profile=Profile.CLIENT,
            certificate=certificate,
            alternative_names=alternative_names,
            renews=renews,
            now=now,
        )


def make_chain(company: Company, versions: int = 3, code: str = PORTAL_CLIENT) -> list[InventoryEntry]:
    """One certificate and its renewals, the oldest first, a year between two. All but the last are Renewed."""
    chain: list[InventoryEntry] = []
    for number in range(versions):
        now = timezone.now() - timedelta(days=365 * (versions - number - 1))
        chain.append(make_entry(company, code, renews=chain[-1] if chain else None, now=now))
    for entry in chain:
        entry.refresh_from_db()
    return chain


def let_entry_expire(entry: InventoryEntry, *, in_days: int) -> None:
    """Make a certificate end so many days from now; below zero it has expired. Its DER keeps the true end."""
    entry.expires_at = timezone.now() + timedelta(days=in_days)
    Certificate.objects.filter(pk=entry.certificate_id).update(not_after=entry.expires_at)
    InventoryEntry.objects.filter(pk=entry.pk).update(expires_at=entry.expires_at)


def make_many_entries(company: Company, count: int, *, now: datetime | None = None) -> list[InventoryEntry]:
    """Entries in bulk, without keys or signatures, of every application, environment and status.

    Four in ten are active, one in ten expires soon, one has expired, two were renewed, two revoked.
    """
    now = now or timezone.now()
    create_applications()
    applications = list(Application.objects.order_by("name"))
    rows = list(_bulk_rows(company, applications, count, now=now))
    Certificate.objects.bulk_create((certificate for certificate, _ in rows), batch_size=2_000)
    return InventoryEntry.objects.bulk_create((entry for _, entry in rows), batch_size=2_000)


def _bulk_rows(
    company: Company, applications: list[Application], count: int, *, now: datetime
) -> Iterator[tuple[Certificate, InventoryEntry]]:
    authority = newest_authority(AuthorityPurpose.KMP)
    for _ in range(count):
        number = next(numbers)
        digest = hashlib.sha256(uuid4().bytes).hexdigest()
        application = applications[number % len(applications)]
        environment = Environment.MTF if number % 3 else Environment.PRODUCTION
        name = f"{1_600_000_000 + number}-Client-{environment.code}-{company.certificate_cid}"
        begin = now - timedelta(days=number % 300, minutes=number % 1440)
        end = {0: now + timedelta(days=1 + number % 29), 1: now - timedelta(days=1 + number % 90)}.get(
            number % 10, now + timedelta(days=40 + number % 350, minutes=number % 1440)
        )
        state = {2: EntryState.RENEWED, 3: EntryState.RENEWED, 4: EntryState.REVOKED, 5: EntryState.REVOKED}.get(
            number % 10, EntryState.LIVE
        )
        is_revoked = state == EntryState.REVOKED
        certificate = Certificate(
            authority=authority,
            issuer_digest=digest,
            issuer="CN=Rehearsal KMP CA,O=mTLS Rehearsal",
            serial=digest[:40].lstrip("0"),
            subject=f"CN={name},O={company.name}",
            subject_digest=digest,
            common_name=name,
            fingerprint=digest,
            public_key_fingerprint=digest,
            key_description="EC P-256",
            not_before=begin,
            not_after=end,
            der=b"",
            recorded_at=begin,
            linted_at=begin,
            revoked_at=now if is_revoked else None,
            revocation_reason="superseded" if is_revoked else "",
            crl_entry=b"" if is_revoked else None,
        )
        yield (
            certificate,
            InventoryEntry(
                reference=f"KM-{400_000 + number}",
                company=company,
                application=application,
                environment=environment,
                certificate=certificate,
                state=state,
                application_name=application.name,
                common_name=name,
                serial=certificate.serial,
                issued_at=begin,
                expires_at=end,
            ),
        )
