"""The audit log: written, never altered, and written with the change or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from audit.events import Actor, AuditedObject, record
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(db: None) -> AuditEvent:
    return record(
        "thing.changed",
        actor=Actor("alice@acme.example", "192.0.2.7"),
        on=AuditedObject(type="thing", id="7", label="The thing", company="c", project="p"),
        now=timezone.now(),
        before={"colour": "red"},
        after={"colour": "blue"},
    )


def test_it_keeps_who_what_where_and_both_states(event: AuditEvent) -> None:
    row = AuditEvent.objects.get()
    assert (row.actor, row.address, row.action) == ("alice@acme.example", "192.0.2.7", "thing.changed")
    assert (row.object_type, row.object_id, row.object_label, row.company, row.project) == (
        "thing",
        "7",
        "The thing",
        "c",
        "p",
    )
    assert (row.before, row.after) == ({"colour": "red"}, {"colour": "blue"})


def test_the_companys_own_time_is_kept_only_where_its_clock_is_ahead(event: AuditEvent) -> None:
    assert event.company_at is None
    ahead = AuditedObject("thing", "8", "Another", company="c", clock_ahead=timedelta(days=400))
    now = timezone.now()
    assert record("thing.changed", actor=Actor("x"), on=ahead, now=now).company_at == now + timedelta(days=400)


def test_the_database_refuses_an_update(event: AuditEvent) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).update(actor="mallory")
    assert AuditEvent.objects.get().actor == "alice@acme.example"


def test_the_database_refuses_a_deletion(event: AuditEvent) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.count() == 1


def test_an_event_of_a_change_that_fails_is_not_kept(event: AuditEvent) -> None:
    def change() -> None:
        with transaction.atomic():
            record("thing.changed", actor=Actor("x"), on=AuditedObject("thing", "8", "Another"), now=timezone.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    assert AuditEvent.objects.count() == 1
