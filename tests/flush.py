"""Fixture: how the database is emptied after a transactional test."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

triggers = importlib.import_module("audit.migrations.0002_append_only")

# The migrations filled these, and no test changes them. To fill them again takes ten times as long as the flush.
KEPT = {"django_content_type", "auth_permission"}


@pytest.fixture(autouse=True, scope="session")
def _flush_what_tests_make() -> None:
    """Let the flush, and nothing else, empty the audit log, and leave what the migrations made."""
    operations: Any = type(connection.ops)  # The class: beside a browser's event loop there are more connections.
    sql_flush, execute_sql_flush = operations.sql_flush, operations.execute_sql_flush

    def without_kept(self: Any, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        found: list[str] = sql_flush(self, style, [table for table in tables if table not in KEPT], **options)
        return found

    def with_audit_log(self: Any, sql: list[str]) -> None:
        with _audit_log_unlocked():
            execute_sql_flush(self, sql)

    def flush(self: TransactionTestCase) -> None:
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False, inhibit_post_migrate=True)

    operations.sql_flush, operations.execute_sql_flush = without_kept, with_audit_log
    TransactionTestCase._fixture_teardown = flush  # type: ignore[attr-defined]  # not in Django's stubs


@contextmanager
def _audit_log_unlocked() -> Iterator[None]:
    """Let the database remove audit events, for as long as the block lasts."""
    lock = triggers.POSTGRESQL if connection.vendor == "postgresql" else triggers.SQLITE
    unlock = triggers.POSTGRESQL_BACK if connection.vendor == "postgresql" else triggers.SQLITE_BACK
    _execute(unlock)
    try:
        yield
    finally:
        _execute(lock)


def _execute(statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
