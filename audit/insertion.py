"""Insert a row with SQL that is built once per model.

Django's ``save`` builds the statement anew each time and asks signal handlers; for the three rows of every certificate
that takes longer than the database does (``make bench``). It stands in the lowest app, so that all can use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init

from audit.statements import ask, tell

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class _Statement:
    """``read`` gives the values of a row. ``plain`` is, for each field, the type whose values the database takes as
    they are (moments only with their zone): nothing is asked of Django for them. None for other fields."""

    sql: str
    fields: tuple[Any, ...]
    returned: tuple[Any, ...]
    plain: tuple[type | None, ...] = ()
    read: Callable[[Any], Sequence[Any]] = tuple


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a model in order: name, default, and what makes the default where each row has one of its own.

    ``attributes`` are what the fields are called in an object; None for a model that must make its objects itself.
    """

    defaults: tuple[tuple[str, Any, Callable[[], Any] | None], ...]
    names: frozenset[str]
    related: tuple[tuple[int, str], ...]
    attributes: tuple[str, ...] | None


def new_row(model: type[Row], **values: Any) -> Row:
    """``model(**values)`` in half the time; a related object is given by the name of its field.

    Raises:
        TypeError: the model has no such field.
    """
    shape = _shape(model)
    if not values.keys() <= shape.names:
        raise TypeError(f"{model.__name__} has no field {', '.join(sorted(values.keys() - shape.names))}.")
    in_order = [
        values[name] if name in values else default if make is None else make()
        for name, default, make in shape.defaults
    ]
    found = [(position, name, related) for position, name in shape.related if (related := values.get(name)) is not None]
    for position, _, related in found:
        in_order[position] = related.pk
    row = _made(model, shape, in_order)
    for _, name, related in found:
        row._state.fields_cache[name] = related
    return row


def _made(model: type[Row], shape: _Shape, values: list[Any]) -> Row:
    if shape.attributes is None or pre_init.receivers or post_init.receivers:
        return model(*values)
    row = model.__new__(model)
    # What the model's own `__init__` does, but for the signals, to which nobody listens.
    row._state = ModelState()
    row.__dict__.update(zip(shape.attributes, values, strict=True))
    return row


@lru_cache
def _shape(model: type[models.Model]) -> _Shape:
    fields = model._meta.concrete_fields
    return _Shape(
        defaults=tuple(
            (field.name, None, field.get_default)
            if field.has_default() and callable(field.default)
            else (field.name, field.get_default(), None)
            for field in fields
        ),
        names=frozenset(field.name for field in fields),
        related=tuple((position, field.name) for position, field in enumerate(fields) if field.is_relation),
        attributes=tuple(field.attname for field in fields) if _is_made_as_usual(model) else None,
    )


def _is_made_as_usual(model: type[models.Model]) -> bool:
    """Whether an object is nothing but its values: no field does anything else when it is set for the first time."""
    kept = (DeferredAttribute, ForeignKeyDeferredAttribute)
    return model.__init__ is models.Model.__init__ and all(
        type(getattr(model, field.attname)) in kept for field in model._meta.concrete_fields
    )


def insert(row: Row) -> Row:
    """Insert a new row, as ``save(force_insert=True)`` does without signals, and return it.

    Raises:
        IntegrityError: a constraint refuses it.
    """
    statement = _statement(type(row))
    values: list[Any] = [
        value
        if value is None or (type(value) is plain and (plain is not datetime or _has_zone(value)))
        else field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])
        for field, value, plain in zip(statement.fields, statement.read(row), statement.plain, strict=True)
    ]
    if not statement.returned:
        tell(statement.sql, values)
    else:
        (returned,) = ask(statement.sql, values)
        for field, value in zip(statement.returned, returned, strict=True):
            setattr(row, field.attname, value)
    row._state.adding = False
    row._state.db = DEFAULT_DB_ALIAS
    return row


def _has_zone(moment: Any) -> bool:
    return moment.tzinfo is not None


def insert_new(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    same: Mapping[str, Any],
    once: Sequence[str] = (),
) -> int:
    """Insert many rows, without signals, but those that are there already by a unique constraint.

    Returns how many were new. A row has a value for each of the ``columns``, ``same`` has those that all rows share,
    both by names of fields; other fields have their default, and a key that is a UUID is made at random where it is
    not among the columns. The constraint is the one of the fields ``once``, any where there are none. To a database
    that knows arrays goes one for each column whose values differ: objects of Django's take several times as long as
    the database does (``make bench``).

    Raises:
        IntegrityError: another constraint refuses a row.
    """
    if not rows:
        return 0
    others = {field.name: field.get_default() for field in model._meta.concrete_fields if not field.primary_key}
    shared = {name: value for name, value in {**others, **same}.items() if name not in columns}
    if connection.vendor == "postgresql":
        return _insert_arrays(model, dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)), shared, once)
    if _makes_key(model, columns):
        columns, rows = ["pk", *columns], [(uuid4(), *row) for row in rows]
    statement = _statement_for_many(model, tuple(columns), tuple(shared), tuple(once))
    whole = (zip(statement.fields, (*row, *shared.values()), strict=True) for row in rows)
    values = [[field.get_db_prep_save(value, connection) for field, value in pairs] for pairs in whole]
    with connection.cursor() as cursor:
        cursor.executemany(statement.sql, values)
        return int(cursor.rowcount)


def _makes_key(model: type[models.Model], columns: Sequence[str]) -> bool:
    key = _field(model, "pk")
    return isinstance(key, models.UUIDField) and not {"pk", key.name} & set(columns)


def _insert_arrays(
    model: type[models.Model], arrays: dict[str, list[Any]], shared: dict[str, Any], once: Sequence[str]
) -> int:
    # Whatever all rows have goes once; the first column stays, so that there is an array to count them by.
    first = next(iter(arrays))
    for name, values in list(arrays.items()):
        one = values[0]
        if name != first and all(value is one or value == one for value in values):
            shared[name] = one
            del arrays[name]
    statement = _statement_for_many(model, tuple(arrays), tuple(shared), tuple(once))
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, [*shared.values(), *arrays.values()])
        return int(cursor.rowcount)


@lru_cache
def _statement_for_many(
    model: type[models.Model], columns: tuple[str, ...], shared: tuple[str, ...], once: tuple[str, ...]
) -> _Statement:
    fields = [_field(model, name) for name in (*columns, *shared)]
    quote = connection.ops.quote_name
    names = [quote(str(field.column)) for field in fields]
    known = f" ({', '.join(quote(str(_field(model, name).column)) for name in once)})" if once else ""
    if connection.vendor == "postgresql":
        # Types without their length, so that a value that is too long is refused, not cut. Arrays go in binary form
        # (%b): as text every word in them would be searched for what must be quoted.
        types = [str(field.db_type(connection)).partition("(")[0] for field in fields]
        arrays = ", ".join(f"%b::{kind}[]" for kind in types[: len(columns)])
        values = ["one.*", *(f"%s::{kind}" for kind in types[len(columns) :])]
        if _makes_key(model, columns):
            names, values = [*names, quote(str(_field(model, "pk").column))], [*values, "gen_random_uuid()"]
        source = f"SELECT {', '.join(values)} FROM unnest({arrays}) AS one"  # noqa: S608  names of our own
    else:
        source = f"VALUES ({', '.join(['%s'] * len(fields))})"
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(names)}) {source} ON CONFLICT{known} DO NOTHING"
    return _Statement(sql=sql, fields=tuple(fields), returned=())


def update_each(model: type[models.Model], column: str, values: Mapping[Any, Any]) -> None:
    """Set one field of many rows, each to a value of its own, by primary key. Faster than ``bulk_update``."""
    if not values:
        return
    key, field = _field(model, "pk"), _field(model, column)
    quote = connection.ops.quote_name
    table, key_name, name = quote(model._meta.db_table), quote(str(key.column)), quote(str(field.column))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = f"%b::{key.db_type(connection)}[], %b::{field.db_type(connection)}[]"
            cursor.execute(
                f"UPDATE {table} SET {name} = one.value FROM unnest({arrays}) AS one (key, value) "  # noqa: S608  names of our own
                f"WHERE {table}.{key_name} = one.key",
                [list(values), list(values.values())],
            )
        else:
            pairs = [
                [field.get_db_prep_save(value, connection), key.get_db_prep_save(of, connection)]
                for of, value in values.items()
            ]
            cursor.executemany(f"UPDATE {table} SET {name} = %s WHERE {key_name} = %s", pairs)  # noqa: S608  names of our own


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


@lru_cache
def _statement(model: type[models.Model]) -> _Statement:
    returned = tuple(field for field in model._meta.concrete_fields if field.db_returning)
    fields = tuple(field for field in model._meta.concrete_fields if not field.db_returning)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608  names of our own
    if returned:
        sql += " RETURNING " + ", ".join(quote(str(field.column)) for field in returned)
    plain = tuple(map(_plain_type, fields))
    return _Statement(sql=sql, fields=fields, returned=returned, plain=plain, read=_reader(fields))


def _reader(fields: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    """What gives the values of a row as they are to be stored; a field may set its own then, such as the moment."""
    if len(fields) > 1 and all(map(_is_stored_as_it_stands, fields)):
        return attrgetter(*(field.attname for field in fields))
    return lambda row: [field.pre_save(row, True) for field in fields]


def _is_stored_as_it_stands(field: Any) -> bool:
    if type(field) in (models.DateTimeField, models.DateField):
        return not field.auto_now and not field.auto_now_add
    return type(field).pre_save is models.Field.pre_save


def _plain_type(field: Any) -> type | None:
    """By the field's own class: one derived from it may prepare values in a way of its own."""
    kind = type(field)
    if kind in (models.ForeignKey, models.OneToOneField):
        return UUID if _plain_type(field.target_field) is UUID else None
    if kind in (models.CharField, models.TextField):
        return str
    if kind in (models.BinaryField, models.DateTimeField) and connection.vendor == "postgresql":
        return bytes if kind is models.BinaryField else datetime
    if kind is models.BooleanField:
        return bool
    return UUID if kind is models.UUIDField and connection.features.has_native_uuid_field else None
