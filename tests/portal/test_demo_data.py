"""The demo data: really signed, in every status, made once and never in production."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority import use
from certauthority.authorities import create_hierarchy
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, CertificateUse, ReasonCode
from certauthority.x509.profile import add_months
from connect.demo_use import SHOP, Habit, calls
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


def test_the_endpoint_has_seen_all_but_the_expired_certificate(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    create_demo_data(now=now)
    ids = dict(Credential.objects.values_list("alias", "certificate_id"))
    uses = use.uses(list(ids.values()))
    assert {alias for alias, certificate_id in ids.items() if certificate_id not in uses} == {"checkout-mtf-2025"}
    assert now - uses[ids["checkout-mtf"]].last_used_at < timedelta(hours=1)
    assert all(found.last_used_at <= now for found in uses.values())
    hours = use.hours(list(ids.values()), since=now - timedelta(days=90), until=now)
    assert len(hours[ids["checkout-prod"]]) > 24 * 40
    assert sum(hour.refused for hour in hours[ids["checkout-mtf"]]) > 0
    assert {call.reason for call in use.last_calls(ids["checkout-prod"])} == {ReasonCode.ACCEPTED}


def test_no_certificate_was_used_before_it_was_issued_or_after_it_was_revoked(
    authorities: dict[str, Authority],
) -> None:
    create_demo_data(now=timezone.now())
    for credential in Credential.objects.filter(certificate__use__isnull=False).select_related("certificate__use"):
        assert credential.certificate.use.first_used_at > credential.created_at
        if credential.ended_at is not None:
            assert credential.certificate.use.last_used_at < credential.ended_at


def test_the_rotation_has_an_overlap_and_then_the_new_one_alone(authorities: dict[str, Authority]) -> None:
    create_demo_data(now=timezone.now())
    new = Credential.objects.select_related("predecessor").get(alias="reconciliation")
    assert new.predecessor is not None
    old_use, new_use = (
        CertificateUse.objects.get(certificate=key) for key in (new.predecessor.certificate_id, new.certificate_id)
    )
    assert timedelta(days=10) < old_use.last_used_at - new_use.first_used_at < timedelta(days=14)


def test_the_use_is_the_same_each_time_it_is_told() -> None:
    now = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    habit = Habit(SHOP, ("10.0.0.1", "10.0.0.2"), "sandbox")
    told = [list(calls(UUID(int=1), habit, since=now - timedelta(days=2), until=now)) for _ in range(2)]
    assert told[0] == told[1]
    assert len(told[0]) > 400
    assert now - timedelta(days=2) <= told[0][0].at < told[0][-1].at < now
