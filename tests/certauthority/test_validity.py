"""How long a certificate lasts: calendar months, also where months differ in length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from certauthority import issuance, policy
from certauthority.authorities import create_hierarchy
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.profile import add_months
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement

REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "not_after"),
    [
        (datetime(2026, 11, 21, 10, 0, tzinfo=UTC), datetime(2027, 12, 21, 10, 0, tzinfo=UTC)),
        (datetime(2027, 1, 31, 9, 0, tzinfo=UTC), datetime(2028, 2, 29, 9, 0, tzinfo=UTC)),
        (datetime(2026, 1, 31, 9, 0, tzinfo=UTC), datetime(2027, 2, 28, 9, 0, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(2028, 1, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_it_lasts_13_calendar_months_and_begins_an_hour_ago(now: datetime, not_after: datetime) -> None:
    create_hierarchy(begin=add_months(now, -60), now=now)
    csr = build_request(REQUIREMENT.example_subject("1"), new_private_key())
    judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    with transaction.atomic():
        facts = facts_of(issuance.issue(judgement, purpose=AuthorityPurpose.DEVELOPERS, now=now))
    assert facts.not_after == not_after
    assert facts.not_before == now.replace(microsecond=0) - timedelta(hours=1)
