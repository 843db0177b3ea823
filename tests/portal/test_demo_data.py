"""The demo data: really signed, in every status, made once and never in production."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority.authorities import create_hierarchy
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate
from certauthority.x509.profile import add_months
from connect.lifecycle import Status
from connect.models import Company, User
from portal.credentials import row
from portal.demo import create_demo_data
from portal.models import Credential, Environment, Membership, ProductionAccessRequest, ProductionState, Project
from portal.production_access import standing_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), 12),
        (datetime(2027, 2, 28, 12, 0, tzinfo=UTC), 12),
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), 12),
        (datetime(2027, 3, 19, 12, 0, tzinfo=UTC), 9),  # No certificate of 13 months ends on 31 March 2027.
        (datetime(2027, 12, 31, 12, 0, tzinfo=UTC), 12),
    ],
)
def test_there_is_a_certificate_in_every_status(now: datetime, days: int) -> None:
    create_hierarchy(begin=add_months(now, -60), now=now)
    assert create_demo_data(now=now)
    project = Project.objects.get(name="Checkout API")
    sandbox = [row(credential, now=now) for credential in project.credentials.filter(environment=Environment.SANDBOX)]
    assert {shown.status for shown in sandbox} == set(Status)
    assert [shown.days_left for shown in sandbox if shown.status == Status.EXPIRING_SOON] == [days]
    assert project.credentials.filter(environment=Environment.PRODUCTION).count() == 1
    assert Project.objects.get(name="Payouts").credentials.count() == 0


def test_today_too(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    create_demo_data(now=now)
    assert {row(credential, now=now).status for credential in Credential.objects.all()} == set(Status)


def test_the_activity_is_in_the_order_of_time(authorities: dict[str, Authority]) -> None:
    create_demo_data(now=timezone.now())
    project = Project.objects.get(name="Checkout API")
    times = list(AuditEvent.objects.filter(project=str(project.pk)).order_by("pk").values_list("at", flat=True))
    assert len(times) == 10
    assert times == sorted(times)


def test_the_people_can_sign_in_and_have_their_roles(authorities: dict[str, Authority]) -> None:
    create_demo_data(now=timezone.now())
    assert User.objects.count() == 8
    assert Company.objects.get(name="Acme Payments Ltd").certificate_cid == "123456"
    assert Company.objects.get(name="Globex Bank").certificate_cid == "000000"
    roles = dict(Membership.objects.values_list("user__email", "role"))
    assert roles == {
        "admin@acme.example": "admin",
        "reader@acme.example": "read-only",
        "developer@globex.example": "admin",
    }
    alice = User.objects.get(email="admin@acme.example")
    assert alice.check_password("rehearsal")
    assert User.objects.get(email="keymanagement@rehearsal.example").is_staff
    assert authenticate(None, email="admin@acme.example", password="wrong") is None


def test_the_certificates_are_really_signed(authorities: dict[str, Authority]) -> None:
    create_demo_data(now=timezone.now())
    certificates = Certificate.objects.filter(authority__name="developers", ocsp_responder=None)
    assert certificates.count() == Credential.objects.count() == 5
    for certificate in certificates:
        assert lint_certificate(bytes(certificate.der)) == []
        assert certificate.not_before >= authorities["developers"].certificate.not_before


def test_a_database_with_people_is_left_alone(authorities: dict[str, Authority]) -> None:
    User.objects.create_user("somebody@else.example", "x", name="Somebody")
    assert not create_demo_data(now=timezone.now())
    assert User.objects.count() == 1


def test_it_is_refused_in_production(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="only made in demo mode"):
        call_command("demo_data")


def test_expiry_moves_with_the_time(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    create_demo_data(now=now)
    checkout = Credential.objects.get(alias="checkout-mtf")
    assert row(checkout, now=now + timedelta(days=13)).status == Status.EXPIRED
    assert row(checkout, now=now - timedelta(days=20)).status == Status.ACTIVE


def test_staff_have_approved_production_for_one_project_and_nobody_asked_for_the_other(
    authorities: dict[str, Authority],
) -> None:
    now = timezone.now()
    create_demo_data(now=now)
    (asked,) = ProductionAccessRequest.objects.all()
    assert (asked.project.name, asked.state) == ("Checkout API", ProductionState.APPROVED)
    assert (asked.requested_by.email, asked.decided_by.email if asked.decided_by else "") == (
        "admin@acme.example",
        "keymanagement@rehearsal.example",
    )
    first = Credential.objects.get(alias="checkout-prod")
    assert asked.decided_at is not None
    assert asked.requested_at < asked.decided_at < first.created_at
    assert standing_of(Project.objects.get(name="Payouts")).may_request
