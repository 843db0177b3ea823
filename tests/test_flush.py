"""What a transactional test leaves behind: nothing."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection
from django.test import TransactionTestCase

from audit.models import AuditEvent
from connect.models import Company
from tests.factories import make_project
from tests.flush import KEPT


def filled() -> set[str]:
    """The tables that have rows."""
    with connection.cursor() as cursor:
        found = set()
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})")
            if cursor.fetchone()[0]:
                found.add(table)
    return found


@pytest.mark.django_db(transaction=True)
def test_the_flush_leaves_what_the_migrations_made_and_nothing_else() -> None:
    make_project()
    assert AuditEvent.objects.exists()
    assert Company.objects.exists()
    permissions, kinds = Permission.objects.count(), ContentType.objects.count()
    TransactionTestCase()._fixture_teardown()  # type: ignore[attr-defined]  # not in Django's stubs
    assert filled() == KEPT
    assert (Permission.objects.count(), ContentType.objects.count()) == (permissions, kinds)
    AuditEvent.objects.create(at="2026-01-01T00:00:00Z", actor="x", action="x", object_type="x")
    with pytest.raises(DatabaseError, match="append-only"):
        AuditEvent.objects.update(actor="somebody else")
