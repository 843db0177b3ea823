"""Calls at the endpoint decide whether a replaced certificate is told of: accepted ones since its successor came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from certauthority.models import Authority, ReasonCode
from certauthority.use_records import record_calls
from connect.expiry import scan
from connect.models import NoticeState, User
from kmp.models import InventoryEntry
from portal.models import Credential
from tests.certauthority.seen_calls import seen
from tests.connect.expiring import before_end, mails_of, states_of
from tests.factories import make_company, make_credential, make_project, make_user
from tests.kmp.factories import make_entry, make_officer

DUE, SKIPPED = NoticeState.DUE, NoticeState.SKIPPED
REPLACED = timedelta(days=100)


@pytest.fixture
def alice(db: None) -> User:
    return make_user(email="alice@acme.example", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def replaced(alice: User, authorities: dict[str, Authority]) -> Credential:
    """A credential whose successor came a hundred days later."""
    old = make_credential(make_project(admin=alice), alias="PAYMENTS")
    make_credential(old.project, alias="PAYMENTS-2", predecessor=old, now=timezone.now() + REPLACED)
    return old


def test_an_accepted_call_since_then_speaks_and_one_before_does_not(replaced: Credential, alice: User) -> None:
    record_calls([seen(replaced.certificate, timezone.now() + REPLACED - timedelta(minutes=1))])
    scan.scan(now=before_end(replaced, days=90))
    assert mails_of(replaced)[90, alice.email][0] == SKIPPED
    record_calls([seen(replaced.certificate, timezone.now() + REPLACED + timedelta(minutes=1))])
    scan.scan(now=before_end(replaced, days=60))
    assert mails_of(replaced)[60, alice.email][0] == DUE


def test_a_refused_call_is_no_use(replaced: Credential, alice: User) -> None:
    at = timezone.now() + REPLACED + timedelta(days=1)
    record_calls([seen(replaced.certificate, at, reason=ReasonCode.WRONG_ENVIRONMENT)])
    scan.scan(now=before_end(replaced, days=60))
    assert mails_of(replaced)[60, alice.email][0] == SKIPPED


def test_a_renewed_entry_that_is_still_called_is_told_of(authorities: dict[str, Authority]) -> None:
    olga = make_officer(make_company(group_email="group@acme.example"))
    entry: InventoryEntry = make_entry(olga.company)
    make_entry(renews=entry, now=timezone.now() + REPLACED)
    scan.scan(now=before_end(entry, days=60))
    assert set(states_of(entry).values()) == {SKIPPED}
    record_calls([seen(entry.certificate, timezone.now() + REPLACED + timedelta(days=1))])
    scan.scan(now=before_end(entry, days=30))
    assert states_of(entry)[30] == DUE
