"""Inserting without ``save``: the same row, and the same constraints."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.insertion import insert
from audit.models import AuditEvent
from connect.models import Company

pytestmark = pytest.mark.django_db


def event(**fields: object) -> AuditEvent:
    return AuditEvent(at=timezone.now(), actor="alice", action="x", object_type="t", object_id="1", **fields)


def test_it_stores_what_save_would(db: None) -> None:
    inserted, saved = event(after={"a": [1, None]}), event(after={"a": [1, None]})
    assert insert(inserted) is inserted
    saved.save()
    rows = list(AuditEvent.objects.order_by("pk").values("actor", "before", "after", "company"))
    assert rows[0] == rows[1]
    assert AuditEvent.objects.get(pk=inserted.pk).reference == inserted.reference


def test_a_key_given_by_the_model_is_kept_and_the_object_counts_as_stored(db: None) -> None:
    company = insert(Company(name="Acme Payments Ltd", country="GB"))
    company.cid = "123456"
    company.save()
    assert Company.objects.get(pk=company.pk).cid == "123456"


def test_the_databases_constraints_hold(db: None) -> None:
    first = insert(event())
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(event(reference=first.reference))
