"""A million certificates in somebody's hands, made by the database: half in projects, half in KMP's inventory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection

from certauthority.authorities import newest_authority
from certauthority.models.authority import AuthorityPurpose
from connect.models import AccessRequest, AccessState, Company, User
from connect.officers import KMP, OFFICER_LEVEL
from kmp.applications import create_applications
from kmp.models import Application
from portal.models import Membership, Project, Role

COMPANIES, PROJECTS_EACH, PEOPLE_EACH = 200, 5, 1
AHEAD = 4  # companies, the first of which is ahead by nothing
# Days until the end. Nobody is told of these now: each has passed its last threshold long before the next.
_SHORTEST, _LONGEST = 92, 390

# Certificate number N has the digest N and belongs to company N modulo their number.
_CERTIFICATES = """
INSERT INTO certauthority_certificate (
  id, authority_id, issuer_digest, issuer, serial, subject, subject_digest, common_name, fingerprint,
  public_key_fingerprint, key_description, not_before, not_after, der, uploaded_chain, recorded_at, linted_at,
  lint_findings, revocation_reason, ocsp_unsettled)
SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, %(authority)s, %(label)s::text,
  'CN=Bench CA,O=Bench', %(label)s::text || to_hex(n), 'CN=' || n || '-Client-MTF-000000', lpad(to_hex(n), 64, '0'),
  n || '-Client-MTF-000000',
  lpad(to_hex(n), 64, '0'), lpad(to_hex(n), 64, '0'), 'EC P-256', %(now)s::timestamptz - interval '30 days',
  %(day)s::date + %(shortest)s::int + (n %% %(span)s::int) * interval '1 day' + interval '15 hours', ''::bytea,
  ''::bytea,
  %(now)s::timestamptz, %(now)s::timestamptz, '', '', false
FROM generate_series(%(first)s::int, %(last)s::int) n
"""
_CREDENTIALS = """
INSERT INTO portal_credential (
  id, project_id, environment, alias, certificate_id, subject_digest, method, submission, created_at, created_by,
  end_reason, next_notice_at, snoozed_by)
SELECT gen_random_uuid(), p.id, 'sandbox', 'ALIAS-' || n, c.id, c.subject_digest, 'uploaded-csr', gen_random_uuid(),
  %(now)s::timestamptz - interval '30 days', 'bench', '',
  (c.not_after AT TIME ZONE 'UTC')::date - %(threshold)s::int, ''
FROM generate_series(%(first)s::int, %(last)s::int) n
JOIN certauthority_certificate c ON c.fingerprint = lpad(to_hex(n), 64, '0')
JOIN (
  SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM portal_project WHERE company_id = ANY(%(owners)s::uuid[])
) p ON p.place = n %% %(projects)s::int
"""
_ENTRIES = """
INSERT INTO kmp_inventoryentry (
  id, reference, company_id, application_id, environment, profile, certificate_id, line, version, state,
  application_name, common_name, serial, issued_at, expires_at, alternative_names, next_notice_at, snoozed_by)
SELECT gen_random_uuid(), 'KM-' || 5000000 + n, o.id, %(application)s, 'mtf', 'client', c.id, gen_random_uuid(), 1, 0,
  %(application_name)s::text, c.common_name, c.serial, %(now)s::timestamptz - interval '30 days', c.not_after, '[]',
  (c.not_after AT TIME ZONE 'UTC')::date - %(threshold)s::int, ''
FROM generate_series(%(first)s::int, %(last)s::int) n
JOIN certauthority_certificate c ON c.fingerprint = lpad(to_hex(n), 64, '0')
JOIN (
  SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM connect_company WHERE id = ANY(%(owners)s::uuid[])
) o ON o.place = n %% %(companies)s::int
"""
_DUE_CREDENTIALS = """
WITH due AS (
  UPDATE portal_credential SET next_notice_at = %(moment)s::timestamptz WHERE id IN (
    SELECT r.id FROM portal_credential r JOIN portal_project p ON p.id = r.project_id
    JOIN connect_company o ON o.id = p.company_id
    WHERE o.clock_run IS NULL AND r.next_notice_at > %(moment)s::timestamptz
    ORDER BY r.certificate_id LIMIT %(count)s::int)
  RETURNING certificate_id)
UPDATE certauthority_certificate SET not_after = %(end)s::timestamptz WHERE id IN (SELECT certificate_id FROM due)
"""
_DUE_ENTRIES = """
UPDATE kmp_inventoryentry SET next_notice_at = %(moment)s::timestamptz, expires_at = %(end)s::timestamptz WHERE id IN (
  SELECT r.id FROM kmp_inventoryentry r JOIN connect_company o ON o.id = r.company_id
  WHERE o.clock_run IS NULL AND r.next_notice_at > %(moment)s::timestamptz
    ORDER BY r.certificate_id LIMIT %(count)s::int)
"""
_SETTLE = """
UPDATE portal_credential SET next_notice_at = NULL WHERE project_id IN (
  SELECT p.id FROM portal_project p JOIN connect_company o ON o.id = p.company_id WHERE o.clock_run IS NOT NULL);
UPDATE kmp_inventoryentry SET next_notice_at = NULL WHERE company_id IN (
  SELECT id FROM connect_company WHERE clock_run IS NOT NULL)
"""


def make_companies(*, now: datetime) -> list[Company]:
    """Companies with security officers, a group mailbox, and projects with admins; some have moved their clock."""
    decider = User.objects.create_user("decider@expiry.example", name="Bench", is_staff=True)
    companies = Company.objects.bulk_create(
        Company(
            name=f"Expiry {number} Ltd",
            group_email=f"group{number}@expiry.example",
            clock_ahead=timedelta(days=100 * number) if number < AHEAD else timedelta(0),
            clock_run=uuid4() if 0 < number < AHEAD else None,
        )
        for number in range(COMPANIES)
    )
    users = User.objects.bulk_create(
        User(email=f"user{number}.{place}@expiry.example", name=f"Person {number}", company=company)
        for place, company in enumerate(companies)
        for number in range(PEOPLE_EACH)
    )
    projects = Project.objects.bulk_create(
        Project(company=company, name=f"Project {number}", created_at=now)
        for company in companies
        for number in range(PROJECTS_EACH)
    )
    people: dict[object, list[User]] = {}
    for user in users:
        people.setdefault(user.company_id, []).append(user)
    Membership.objects.bulk_create(
        Membership(project=project, user=user, role=Role.ADMIN, since=now)
        for project in projects
        for user in people[project.company_id]
    )
    AccessRequest.objects.bulk_create(
        AccessRequest(
            user=user,
            company=user.company,
            application=KMP,
            level=OFFICER_LEVEL,
            state=AccessState.GRANTED,
            requested_at=now,
            decided_at=now,
            decided_by=decider,
        )
        for user in users
        if user.company is not None
    )
    return companies


def make_certificates(count: int, *, owners: Sequence[Company], now: datetime) -> None:
    """So many live certificates of these companies, none due: half are credentials, half entries of the inventory.

    Those of companies whose clock is ahead have passed their last threshold.
    """
    create_applications()
    application = Application.objects.order_by("name")[0]
    half = count // 2
    values: dict[str, Any] = {
        "now": now,
        "day": now.astimezone(UTC).date(),
        "shortest": _SHORTEST,
        "span": _LONGEST - _SHORTEST,
        "threshold": max(settings.NOTICE_THRESHOLD_DAYS),
        "application": application.pk,
        "application_name": application.name,
        "owners": [company.pk for company in owners],
        "projects": Project.objects.filter(company__in=owners).count(),
        "companies": len(owners),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for label, purpose, first, last, statement in (
            ("a", AuthorityPurpose.DEVELOPERS, 1, half, _CREDENTIALS),
            ("b", AuthorityPurpose.KMP, half + 1, count, _ENTRIES),
        ):
            numbers: dict[str, Any] = {
                "label": label,
                "authority": newest_authority(purpose).pk,
                "first": first,
                "last": last,
            }
            cursor.execute(_CERTIFICATES, {**values, **numbers})
            cursor.execute(statement, {**values, **numbers})
        for statement in _SETTLE.split(";"):
            cursor.execute(statement)
        cursor.execute("RESET statement_timeout")


def make_due(count: int, *, day: date, days_left: int) -> None:
    """Let so many more certificates of companies in real time reach this threshold on this day, half in each portal."""
    moment = datetime.combine(day, time(0), UTC)
    values: dict[str, Any] = {
        "moment": moment,
        "end": moment + timedelta(days=days_left, hours=15),
        "count": count // 2,
    }
    with connection.cursor() as cursor:
        for statement in (_DUE_CREDENTIALS, _DUE_ENTRIES):
            cursor.execute(statement, values)
