"""Rows of several tables by one statement, as models, with SQL that is built once.

Django builds the statement anew for each query; for what each call asks, that takes several times as long as the
database does (``make bench``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """One table of a statement, by its alias there. ``converters`` belong to the places of its ``names``."""

    model: type[Row]
    alias: str
    names: tuple[str, ...]
    converters: tuple[tuple[int, Any, Any], ...]
    columns: str

    @classmethod
    def of(cls, model: type[Row], alias: str, *, without: Iterable[str] = ()) -> Part[Row]:
        """All columns of a model but some, which Django reads where somebody asks for them after all."""
        left_out = frozenset(without)
        fields = [field for field in model._meta.concrete_fields if field.name not in left_out]
        converters = [
            (place, converter, column)
            for place, column in enumerate(field.get_col(alias) for field in fields)
            for converter in (
                *connection.ops.get_db_converters(column),
                *column.output_field.get_db_converters(connection),
            )
        ]
        quote = connection.ops.quote_name
        columns = ", ".join(f"{alias}.{quote(str(field.column))}" for field in fields)
        return cls(model, alias, tuple(field.attname for field in fields), tuple(converters), columns)

    def made_of(self, values: Sequence[Any]) -> Row | None:
        """The model from its columns, in their order; None where a LEFT JOIN found no row."""
        if all(value is None for value in values):
            return None
        taken = list(values)
        for place, converter, column in self.converters:
            taken[place] = converter(taken[place], column, connection)
        return self.model.from_db(connection.alias, self.names, taken)
