"""How long a certificate lasts: calendar months, also where months differ in length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from certauthority import issuance, policy
from certauthority.authorities import create_hierarchy
from certauthority.errors import IssuerEnding
from certauthority.lint import lint_certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.profile import add_months
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement

REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API")


def issued(*, now: datetime, counted_from: datetime | None = None) -> CertificateFacts:
    csr = build_request(REQUIREMENT.example_subject("1"), new_private_key())
    judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    with transaction.atomic():
        return facts_of(
            issuance.issue(judgement, purpose=AuthorityPurpose.DEVELOPERS, now=now, counted_from=counted_from)
        )


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
    facts = issued(now=now)
    assert facts.not_after == not_after
    assert facts.not_before == now.replace(microsecond=0) - timedelta(hours=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("shown", "not_after"),
    [
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), datetime(2029, 3, 29, 12, 0, tzinfo=UTC)),
        (datetime(2027, 1, 31, 9, 0, tzinfo=UTC), datetime(2028, 2, 29, 9, 0, tzinfo=UTC)),
        (datetime(2028, 1, 31, 9, 0, tzinfo=UTC), datetime(2029, 2, 28, 9, 0, tzinfo=UTC)),
        (datetime(2027, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(2029, 1, 31, 23, 59, 59, tzinfo=UTC)),
        (datetime(2031, 11, 21, 10, 0, tzinfo=UTC), datetime(2032, 12, 21, 10, 0, tzinfo=UTC)),
    ],
    ids=["leap day", "31 January before a leap year", "31 January", "last second of a year", "five years ahead"],
)
def test_where_a_clock_is_ahead_its_months_are_counted_from_there_and_it_begins_now(
    shown: datetime, not_after: datetime
) -> None:
    now = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    create_hierarchy(begin=add_months(now, -60), now=now)
    facts = issued(now=now, counted_from=shown)
    assert facts.not_after == not_after
    assert facts.not_before == now - timedelta(hours=1), "real TLS software accepts it now"
    assert lint_certificate(facts.der) == []


@pytest.mark.django_db
def test_a_ca_that_ends_too_soon_for_the_clock_refuses_and_names_it() -> None:
    now = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    create_hierarchy(begin=add_months(now, -12 * 10), now=now)
    assert issued(now=now).not_after < add_months(now, 14)
    with pytest.raises(
        IssuerEnding,
        match=r"months from 21 November 2031 on, which the company’s clock shows, would.*start its clock over",
    ):
        issued(now=now, counted_from=add_months(now, 60))
