"""What the database itself refuses, whoever writes: requests and versions that would make no sense."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from certauthority.models import Authority
from connect.models import User
from kmp.models import CertificateRequest, EntryState, InventoryEntry, RequestKind, RequestState
from tests.kmp.factories import XBS, application_of, make_chain, make_entry, make_many_entries
from tests.kmp.wizard import company_of, make_two_officers


@pytest.fixture
def olga(authorities: dict[str, Authority]) -> User:
    return make_two_officers()[0]


def insert(olga: User, **fields: Any) -> CertificateRequest:
    """Store a row past every use-case: one that was submitted and lacks nothing, but for what is given."""
    now = timezone.now()
    whole = {
        "number": f"REQ-{uuid.uuid4().int % 10**8:08}",
        "kind": RequestKind.NEW,
        "state": RequestState.SUBMITTED,
        "company": company_of(olga),
        "officer": olga,
        "application": application_of(XBS),
        "environment": "mtf",
        "csr": b"whatever",
        "created_at": now,
        "changed_at": now,
        "submitted_at": now,
    }
    return CertificateRequest.objects.create(**{**whole, **fields})


def refused(olga: User, name: str, **fields: Any) -> None:
    # SQLite names the constraint of a check, too; PostgreSQL names every one.
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        insert(olga, **fields)


def test_a_whole_request_is_stored(olga: User) -> None:
    assert insert(olga).state == RequestState.SUBMITTED
    assert insert(olga, kind=RequestKind.RENEWAL, expiring=make_entry(company_of(olga))).expiring is not None


@pytest.mark.parametrize("state", [RequestState.DRAFT, RequestState.SUBMITTED])
def test_a_renewal_names_what_it_renews_and_a_new_request_nothing(olga: User, state: RequestState) -> None:
    refused(olga, "request_renewal_names_expiring", kind=RequestKind.RENEWAL, state=state)
    entry = make_entry(company_of(olga))
    refused(olga, "request_renewal_names_expiring", kind=RequestKind.NEW, state=state, expiring=entry)


@pytest.mark.parametrize("state", [RequestState.SUBMITTED, RequestState.IN_REVIEW, RequestState.REJECTED])
@pytest.mark.parametrize("missing", [{"csr": b""}, {"application": None}, {"environment": ""}, {"submitted_at": None}])
def test_what_was_submitted_is_whole(olga: User, state: RequestState, missing: dict[str, Any]) -> None:
    ended = timezone.now() if state == RequestState.REJECTED else None
    refused(olga, "request_submitted_whole", state=state, ended_at=ended, **missing)


def test_a_draft_and_one_that_was_cancelled_may_lack_everything(olga: User) -> None:
    nothing: dict[str, Any] = {"csr": b"", "application": None, "environment": "", "submitted_at": None}
    insert(olga, state=RequestState.DRAFT, **nothing)
    insert(olga, state=RequestState.CANCELLED, ended_at=timezone.now(), **nothing)


def test_the_longest_words_fit_into_the_indexes(olga: User) -> None:
    longest = insert(olga, common_name="\U0001f98a" * 64, contact=f"{'a' * 64}@{'b' * 185}.com", decided_by="c" * 254)
    CertificateRequest.objects.filter(pk=longest.pk).update(certificate_words="\U0001f98a" * 255)
    longest.refresh_from_db()
    assert len(longest.search_text) > 580


def test_of_all_versions_of_a_certificate_one_is_live_at_most(olga: User) -> None:
    first, second = make_chain(company_of(olga), 2)
    with (
        pytest.raises(IntegrityError, match=r"inventory_one_live_version|kmp_inventoryentry\.line"),
        transaction.atomic(),
    ):
        InventoryEntry.objects.filter(pk=first.pk).update(state=EntryState.LIVE)
    assert InventoryEntry.objects.get(line=second.line, state=EntryState.LIVE) == second
    # Other certificates are live beside it.
    make_many_entries(company_of(olga), 20)
    assert InventoryEntry.objects.filter(state=EntryState.LIVE).count() > 2
