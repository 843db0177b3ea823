"""Whom KMP tells of a certificate's end: who asked for it, the officers, and the group mailbox, each once."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority.models import Authority
from connect.models import Company, User
from kmp.lifetimes import Entries
from kmp.models import CertificateRequest, InventoryEntry, RequestKind, RequestState
from tests.factories import make_company, make_user
from tests.kmp.factories import make_entry, make_officer


@pytest.fixture
def acme(authorities: dict[str, Authority]) -> Company:
    return make_company(group_email="group@acme.example")


def signed_for(officer: User, entry: InventoryEntry) -> None:
    now = timezone.now()
    CertificateRequest.objects.create(
        id=entry.pk,
        number="REQ-00000001",
        kind=RequestKind.NEW,
        state=RequestState.SIGNED,
        company=entry.company,
        officer=officer,
        application=entry.application,
        environment=entry.environment,
        csr=b"whatever",
        created_at=now,
        changed_at=now,
        submitted_at=now,
        ended_at=now,
        entry=entry,
    )


def told_of(entry: InventoryEntry) -> list[str]:
    source = Entries()
    (recipients,) = source.recipients(source.find([entry.pk])).values()
    return [recipient.address for recipient in recipients]


def test_who_asked_comes_first_and_then_the_officers_by_name(acme: Company) -> None:
    make_officer(acme, name="Zoe", email="zoe@acme.example")
    make_officer(acme, name="Abe", email="abe@acme.example")
    requester = make_user(company=acme, name="Mia", email="mia@acme.example")
    entry = make_entry(acme)
    assert told_of(entry) == ["abe@acme.example", "zoe@acme.example", "group@acme.example"]
    signed_for(requester, entry)
    assert told_of(entry) == ["mia@acme.example", "abe@acme.example", "zoe@acme.example", "group@acme.example"]


def test_an_officer_who_asked_is_told_once(acme: Company) -> None:
    make_officer(acme, name="Abe", email="abe@acme.example")
    zoe = make_officer(acme, name="Zoe", email="zoe@acme.example")
    entry = make_entry(acme)
    signed_for(zoe, entry)
    assert told_of(entry) == ["zoe@acme.example", "abe@acme.example", "group@acme.example"]


@pytest.mark.parametrize("change", ["inactive", "elsewhere"])
def test_who_has_gone_is_told_nothing(change: str, acme: Company) -> None:
    requester, officer = make_user(company=acme), make_officer(acme)
    entry = make_entry(acme)
    signed_for(requester, entry)
    assert len(told_of(entry)) == 3
    for user in (requester, officer):
        if change == "inactive":
            user.is_active = False
        else:
            user.company = make_company()
        user.save()
    assert told_of(entry) == ["group@acme.example"]


def test_the_number_of_queries_does_not_grow(authorities: dict[str, Authority]) -> None:
    source, found = Entries(), []
    for count in (2, 20):
        entries = [make_entry(make_officer(make_company()).company) for _ in range(count)]
        lifetimes = source.find([entry.pk for entry in entries])
        with CaptureQueriesContext(connection) as captured:
            assert all(source.recipients(lifetimes).values())
        found.append(len(captured))
    assert found[0] == found[1]
