"""The command that fills KMP for a new demo site."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from certauthority.models import Authority
from connect.expiry.scan import scan
from connect.models import AccessRequest, AccessState, Company, Notice, NoticeState, User
from connect.officers import is_officer
from kmp.models import CertificateRequest, InventoryEntry, RequestState

pytestmark = pytest.mark.django_db


def run() -> str:
    said = StringIO()
    call_command("demo_kmp", stdout=said)
    return said.getvalue().strip()


def test_a_new_demo_site_has_officers_an_inventory_and_requests_in_every_state(
    authorities: dict[str, Authority],
) -> None:
    call_command("demo_data", stdout=StringIO())
    assert run() == "Created the demo data of KMP."
    officers = {user.email for user in User.objects.all() if is_officer(user)}
    assert officers == {"officer1@acme.example", "officer2@acme.example", "officer@globex.example"}
    assert User.objects.get(is_security_administrator=True).email == "security-admin@acme.example"
    assert Company.objects.get(name="Acme Payments Ltd").group_email == "certificates@acme.example"
    assert InventoryEntry.objects.count() == 12
    assert {str(state) for state in CertificateRequest.objects.values_list("state", flat=True)} == set(RequestState)


def test_a_new_demo_site_has_told_what_is_due(authorities: dict[str, Authority]) -> None:
    call_command("demo_data", stdout=StringIO())
    run()
    told = Notice.objects.filter(threshold__isnull=False, state=NoticeState.DUE).order_by("subject")
    subjects = sorted({notice.subject for notice in told if notice.address == "admin@acme.example"})
    assert [re.sub(r"[0-9]+ days", "… days", subject).split(",")[0] for subject in subjects] == [
        "checkout-mtf (Sandbox) expires in … days",
        "checkout-mtf-2025 (Sandbox) expired … days ago",
    ]
    written = Notice.objects.count()
    assert scan(now=timezone.now()) == 0
    assert Notice.objects.count() == written


def test_a_second_time_it_does_nothing(authorities: dict[str, Authority]) -> None:
    call_command("demo_data", stdout=StringIO())
    run()
    assert run() == "KMP is in use already: no demo data was made."
    assert AccessRequest.objects.filter(state=AccessState.GRANTED).count() == 3


def test_without_the_demo_accounts_it_does_nothing() -> None:
    assert run() == "The demo accounts are not all there: no demo data was made for KMP."
    assert not AccessRequest.objects.exists()


def test_production_refuses_it(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="only made in demo mode"):
        run()
