"""Histories of one object: answered by an index, however long the audit log is."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from audit.models import AuditEvent

pytestmark = pytest.mark.django_db
EVENTS = 4_000


@pytest.fixture
def company() -> UUID:
    """A company with one project, all of whose many events are of different objects."""
    company = uuid4()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=timezone.now(),
            actor="alice@acme.example",
            action="credential.added",
            object_type="credential",
            object_id=str(uuid4()),
            object_label="A credential",
            company=str(company),
            project=str(company),
        )
        for _ in range(EVENTS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent")
    return company


@pytest.mark.parametrize("place", ["company", "project"])
def test_the_database_looks_the_object_up_and_reads_no_others(company: UUID, place: str) -> None:
    event = AuditEvent.objects.all()[EVENTS // 2]
    history = AuditEvent.objects.filter(
        **{place: str(company)}, object_type=event.object_type, object_id=event.object_id
    )
    assert list(history) == [event]
    assert "audit_object" in history.explain()


def migrate_audit(targets: list[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def test_the_log_is_still_append_only_after_the_index_was_made_anew(transactional_db: None) -> None:
    migrate_audit([("audit", "0002_append_only")])
    # Forward to where the model is now: what comes after it in this process finds the columns of today.
    migrate_audit(MigrationExecutor(connection).loader.graph.leaf_nodes("audit"))
    event = AuditEvent.objects.create(
        at=timezone.now(), actor="a", action="b", object_type="c", object_id="d", object_label="e"
    )
    for change in (lambda: AuditEvent.objects.update(actor="mallory"), AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert AuditEvent.objects.get().pk == event.pk
