"""Indexes that are made and removed while the site goes on writing. In the lowest app, so that all can use it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class AddIndexAside(migrations.AddIndex):
    """Adds an index without holding up writers: CONCURRENTLY on PostgreSQL, where its migration is not atomic."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            # An attempt that was interrupted leaves an index that is not valid: it makes way for this one.
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            schema_editor.execute(self.index.create_sql(model, schema_editor, concurrently=True))


class RemoveIndexAside(migrations.RemoveIndex):
    """Removes an index without holding up writers, as ``AddIndexAside`` makes one."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.name)}")


class DropFieldIndexAside(migrations.AlterField):
    """Drops the index that Django makes for a field, without holding up writers: another index begins with its column.

    ``field`` is the field as it is from then on. With ``for_patterns`` it is the index that PostgreSQL has beside a
    unique text, for searches by its beginning.
    """

    def __init__(self, model_name: str, name: str, field: models.Field[Any, Any], *, for_patterns: bool = False):
        super().__init__(model_name, name, field)
        self.for_patterns = for_patterns

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if (found := self._index(app_label, schema_editor, to_state)) is not None:
            name, _ = found
            schema_editor.execute(f"DROP INDEX {_aside(schema_editor)}IF EXISTS {name}")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if (found := self._index(app_label, schema_editor, to_state)) is not None:
            name, what = found
            schema_editor.execute(f"CREATE INDEX {_aside(schema_editor)}IF NOT EXISTS {name} ON {what}")

    def _index(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState
    ) -> tuple[str, str] | None:
        """Its name, and the table with the column that it is of; none where this database has none."""
        model = state.apps.get_model(app_label, self.model_name)
        is_postgresql = schema_editor.connection.vendor == "postgresql"
        alias = schema_editor.connection.alias
        if not self.allow_migrate_model(alias, model) or (self.for_patterns and not is_postgresql):
            return None
        table, column = model._meta.db_table, str(model._meta.get_field(self.name).column)
        suffix, how = ("_like", " varchar_pattern_ops") if self.for_patterns else ("", "")
        # Only Django knows the hash in the name, by a method of its own that its stubs leave out.
        name = schema_editor._create_index_name(table, [column], suffix=suffix)  # type: ignore[attr-defined]  # noqa: SLF001
        quote = schema_editor.quote_name
        return quote(name), f"{quote(table)} ({quote(column)}{how})"


def _aside(schema_editor: BaseDatabaseSchemaEditor) -> str:
    return "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
