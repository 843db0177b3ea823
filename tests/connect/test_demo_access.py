"""The demo's access data, made by the use-cases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from audit.models import AuditEvent
from connect.demo import ACME, DEMO_ACCOUNTS, GLOBEX
from connect.demo_access import ACME_GROUP_EMAIL, create_demo_access
from connect.models import AccessRequest, Company, User
from connect.officers import has_enough_officers, officers_of
from tests.factories import make_company, make_user

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


@pytest.mark.django_db
def test_acme_has_two_officers_and_a_mailbox_globex_one_and_none() -> None:
    companies = {name: make_company(name=name) for name in (ACME, GLOBEX)}
    people: dict[str, User] = {
        account.email: make_user(
            email=account.email,
            name=account.name,
            company=companies.get(account.company),
            is_staff=account.is_staff,
        )
        for account in DEMO_ACCOUNTS
    }
    create_demo_access(people, NOW)
    acme, globex = Company.objects.get(name=ACME), Company.objects.get(name=GLOBEX)
    assert [user.email for user in officers_of(acme)] == ["officer1@acme.example", "officer2@acme.example"]
    assert [user.email for user in officers_of(globex)] == ["officer@globex.example"]
    assert (has_enough_officers(acme), has_enough_officers(globex)) == (True, False)
    assert (acme.group_email, globex.group_email) == (ACME_GROUP_EMAIL, "")
    assert User.objects.get(is_security_administrator=True).email == "security-admin@acme.example"
    decided = {request.user.email: request.decided_by for request in AccessRequest.objects.all()}
    assert decided["officer@globex.example"] == people["keymanagement@rehearsal.example"]
    assert not AuditEvent.objects.filter(at__gt=NOW).exists(), "nothing lies in the future"
