"""Fixtures: the CA hierarchy, and the audit log's triggers lifted for the flush between transactional tests."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from certauthority import revocation_lists
from certauthority.authorities import create_hierarchy
from certauthority.models import Authority
from certauthority.x509.profile import add_months

triggers = importlib.import_module("audit.migrations.0002_append_only")


@pytest.fixture
def authorities(db: None) -> dict[str, Authority]:
    """Root, Developers CA, KMP CA and Services CA, five years old, each with a CRL; by name.

    Their keys stay in the state directory for the whole run, so that only certificates are made anew.
    """
    now = timezone.now()
    create_hierarchy(begin=add_months(now, -60), now=now)
    found = {authority.name: authority for authority in Authority.objects.select_related("certificate")}
    for authority in found.values():
        revocation_lists.publish(authority, now=now)
    return found


@contextmanager
def audit_log_unlocked() -> Iterator[None]:
    """Let the database remove audit events, for as long as the block lasts."""
    lock = triggers.POSTGRESQL if connection.vendor == "postgresql" else triggers.SQLITE
    unlock = triggers.POSTGRESQL_BACK if connection.vendor == "postgresql" else triggers.SQLITE_BACK
    _execute(unlock)
    try:
        yield
    finally:
        _execute(lock)


@pytest.fixture(autouse=True, scope="session")
def _flush_lifts_the_audit_triggers() -> None:
    """Django empties the database after a transactional test. This flush, and nothing else, may empty the log."""
    operations: Any = type(connection.ops)  # The class: beside a browser's event loop there are more connections.
    flush = operations.execute_sql_flush

    def flush_with_audit_log(self: Any, sql: list[str]) -> None:
        with audit_log_unlocked():
            flush(self, sql)

    operations.execute_sql_flush = flush_with_audit_log


def _execute(statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
