"""``any_of``: like ``in``, for hundreds of values."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler


class AnyOf(In):
    """A field has one of these values, which a database that knows arrays gets as one parameter.

    With a parameter for each, the statement is taken apart, sent and parsed anew for every number of values; with one
    it is prepared once (``make bench``).
    """

    lookup_name = "any_of"

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """The condition with an array of the field's own type."""
        left, parameters = self.process_lhs(compiler, connection)
        values = [self.lhs.output_field.get_db_prep_value(value, connection) for value in self.rhs if value is not None]
        if not values:
            raise EmptyResultSet  # As for `in`: where nothing can be found, the database is not asked.
        kind = str(self.lhs.output_field.rel_db_type(connection)).partition("(")[0]
        # In binary form (%b): as text every word would be searched for what must be quoted.
        return f"{left} = ANY(%b::{kind}[])", [*parameters, values]


def register() -> None:
    """Let every field know it."""
    Field.register_lookup(AnyOf)
