"""Indexes that are dropped beside writers because others do their work, and are made again as they were."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from audit.index_operations import DropFieldIndexAside

pytestmark = pytest.mark.django_db
MIGRATIONS = {
    "kmp": "0010_fewer_inventory_indexes",
    "portal": "0009_fewer_credential_indexes",
    "connect": "0009_fewer_notice_indexes",
}
DROPPED = {
    "kmp": ("kmp_inventoryentry", [["company_id"], ["line"], ["reference"]]),
    "portal": ("portal_credential", [["predecessor_id"], ["project_id"]]),
    "connect": ("connect_notice", [["company_id"], ["recipient_id"]]),
}


def collected(app: str, *, backwards: bool) -> list[str]:
    """The statements of the app's migration, forwards or backwards, of its drops alone."""
    loader = MigrationLoader(connection)
    migration: Migration = loader.get_migration(app, MIGRATIONS[app])
    before = loader.project_state((app, MIGRATIONS[app]), at_end=False)
    after = loader.project_state((app, MIGRATIONS[app]), at_end=True)
    editor = connection.schema_editor(collect_sql=True, atomic=False)
    for operation in migration.operations:
        if isinstance(operation, DropFieldIndexAside):
            if backwards:
                operation.database_backwards(app, editor, after, before)
            else:
                operation.database_forwards(app, editor, before, after)
    statements: list[str] = editor.collected_sql
    return statements


@pytest.mark.parametrize("app", MIGRATIONS)
def test_what_is_dropped_is_gone(app: str) -> None:
    table, columns = DROPPED[app]
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    # Of a few of the rows alone, with names of our own: what replaces a credential, and what is unread in the bell.
    few = {"credential_successors", "notice_unread_bell"}
    own = [one["columns"] for name, one in found.items() if one["index"] and not one["unique"] and name not in few]
    assert [of for of in columns if of in own] == []


@pytest.mark.parametrize("app", MIGRATIONS)
def test_indexes_are_dropped_and_made_beside_writers(app: str) -> None:
    _, columns = DROPPED[app]
    aside = " CONCURRENTLY" if connection.vendor == "postgresql" else ""
    dropped, made = collected(app, backwards=False), collected(app, backwards=True)
    names = [statement.split('"')[1] for statement in dropped]
    assert dropped == [f'DROP INDEX{aside} IF EXISTS "{name}";' for name in names]
    assert [statement.split('"')[1] for statement in made] == names, "by the names that they had"
    assert all(statement.startswith(f"CREATE INDEX{aside} IF NOT EXISTS ") for statement in made)
    # SQLite has none beside a unique text.
    assert len(names) == len(columns) - (app == "kmp" and not aside)


def test_they_are_made_again_as_django_made_them() -> None:
    """The names and columns are those of the first migrations, whose hashes only Django knows."""
    with connection.cursor() as cursor:
        for statement in collected("kmp", backwards=True):
            cursor.execute(statement.replace(" CONCURRENTLY", ""))
        found = connection.introspection.get_constraints(cursor, "kmp_inventoryentry")
    names = {"kmp_inventoryentry_company_id_28aba2a7": ["company_id"], "kmp_inventoryentry_line_ebff4472": ["line"]}
    if connection.vendor == "postgresql":
        names["kmp_inventoryentry_reference_e75105b6_like"] = ["reference"]
    assert {name: found[name]["columns"] for name in names} == names


def test_no_migration_runs_them_in_a_transaction() -> None:
    for app, name in MIGRATIONS.items():
        package = apps.get_app_config(app).name
        assert importlib.import_module(f"{package}.migrations.{name}").Migration.atomic is False
