"""What the live endpoint has seen of certificates: written here, in a few statements for any number of calls.

Rows are added to, never read and written back, so that any number of gateways count together. All of them take rows
in the order of their keys, so that no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeVar
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from certauthority.models import (
    Certificate,
    CertificateUse,
    CertificateUseHour,
    CertificateUseMinute,
    CertificateUseSource,
    EndpointCall,
)
from certauthority.use_tally import KEPT_CALLS, SeenCall, Tally

__all__ = ["SeenCall", "record_calls", "record_tally"]

Item = TypeVar("Item")

# Rows of one INSERT: few enough for the number of parameters that SQLite takes.
_ROWS_AT_ONCE: Final = 1000

_ADD: Final = "{column} = {table}.{column} + excluded.{column}"
# Gateways write late and by turns: what comes to the database last did not always happen last.
_LEAST: Final = (
    "{column} = CASE WHEN excluded.{column} < {table}.{column} THEN excluded.{column} ELSE {table}.{column} END"
)
_GREATEST: Final = (
    "{column} = CASE WHEN {table}.{column} IS NULL OR excluded.{column} > {table}.{column} "
    "THEN excluded.{column} ELSE {table}.{column} END"
)
_COUNTS: Final = {"accepted": _ADD, "refused": _ADD}


def record_calls(calls: Collection[SeenCall]) -> None:
    """Write calls, in any order. A certificate whose row is gone is left out."""
    record_tally(Tally.of(calls))


@transaction.atomic
def record_tally(tally: Tally) -> None:
    """Write what was added up, all of it or nothing. A certificate whose row is gone is left out."""
    known = _hold(tally.certificate_ids)
    _add_hours(tally, known)
    _add_minutes(tally, known)
    _add_sources(tally, known)
    _extend_uses(tally, known)
    _keep_newest(tally, known)


def _hold(certificate_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the certificates that exist, and will until the end of the transaction.

    A key share is what a foreign key takes: it lets revocations and other gateways through, and no deletion.
    """
    known = set[UUID]()
    lock = " FOR KEY SHARE" if connection.features.has_select_for_no_key_update else ""
    for ids in _pages(certificate_ids):
        rows = Certificate.objects.filter(pk__in=ids).order_by("pk").values_list("pk")
        statement, parameters = rows.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(statement + lock, parameters)
            known |= {UUID(str(key)) for (key,) in cursor.fetchall()}
    return known


def _add_hours(tally: Tally, known: set[UUID]) -> None:
    rows = [
        CertificateUseHour(certificate_id=key[0], hour=key[1], accepted=count.accepted, refused=count.refused)
        for key, count in sorted(tally.hours.items(), key=lambda item: item[0])
        if key[0] in known
    ]
    _upsert(rows, unique=["certificate_id", "hour"], merging=_COUNTS)


def _add_minutes(tally: Tally, known: set[UUID]) -> None:
    rows = [
        CertificateUseMinute(
            certificate_id=key[0], minute=key[1], client_address=key[2], accepted=count.accepted, refused=count.refused
        )
        for key, count in sorted(tally.minutes.items(), key=lambda item: item[0])
        if key[0] in known
    ]
    _upsert(rows, unique=["certificate_id", "minute", "client_address"], merging=_COUNTS)


def _add_sources(tally: Tally, known: set[UUID]) -> None:
    rows = [
        CertificateUseSource(
            certificate_id=key[0],
            client_address=key[1],
            first_at=span.first_at,
            last_at=span.last_at,
            last_accepted_at=span.last_accepted_at,
            accepted=span.count.accepted,
            refused=span.count.refused,
        )
        for key, span in sorted(tally.sources.items(), key=lambda item: item[0])
        if key[0] in known
    ]
    merging = {"first_at": _LEAST, "last_at": _GREATEST, "last_accepted_at": _GREATEST, **_COUNTS}
    _upsert(rows, unique=["certificate_id", "client_address"], merging=merging)


def _extend_uses(tally: Tally, known: set[UUID]) -> None:
    rows = [
        CertificateUse(certificate_id=key, first_used_at=span.first_at, last_used_at=span.last_at)
        for key, span in sorted(tally.uses.items(), key=lambda item: item[0])
        if key in known
    ]
    _upsert(rows, unique=["certificate_id"], merging={"first_used_at": _LEAST, "last_used_at": _GREATEST})


def _keep_newest(tally: Tally, known: set[UUID]) -> None:
    """Write the calls one by one, and remove what was pushed out by them."""
    touched = [certificate_id for certificate_id in tally.certificate_ids if certificate_id in known]
    rows = [
        EndpointCall(
            certificate_id=certificate_id,
            at=call.at,
            accepted=call.accepted,
            reason=call.reason,
            environment=call.environment,
            client_address=call.client_address,
            tls_version=call.tls_version,
            cipher=call.cipher,
        )
        for certificate_id in touched
        for call in tally.newest(certificate_id)
    ]
    _insert(rows)
    for ids in _pages(touched):
        newest_first = Window(RowNumber(), partition_by=F("certificate_id"), order_by=[F("at").desc(), F("id").desc()])
        placed = EndpointCall.objects.filter(certificate_id__in=ids).annotate(place=newest_first)
        pushed_out = placed.filter(place__gt=KEPT_CALLS).order_by("pk").values("pk")
        EndpointCall.objects.filter(pk__in=pushed_out).delete()


def _upsert(rows: Sequence[models.Model], *, unique: Sequence[str], merging: dict[str, str]) -> None:
    """Insert rows, or merge each into the one that has the same unique columns."""
    if not rows:
        return
    meta = rows[0]._meta
    sets = [how.format(column=f'"{column}"', table=f'"{meta.db_table}"') for column, how in merging.items()]
    _insert(rows, conflict=f"ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {', '.join(sets)}")


def _insert(rows: Sequence[models.Model], *, conflict: str = "") -> None:
    """As SQL, since Django cannot add to what is there, and splits what SQLite takes at once."""
    for page in _pages(rows):
        meta = page[0]._meta
        fields = [field for field in meta.concrete_fields if not field.primary_key]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(page))
        statement = f'INSERT INTO "{meta.db_table}" ({columns}) VALUES {values} {conflict}'  # noqa: S608  only names of ours
        parameters = [
            field.get_db_prep_save(getattr(row, field.attname), connection) for row in page for field in fields
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)


def _pages(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for begin in range(0, len(items), _ROWS_AT_ONCE):
        yield items[begin : begin + _ROWS_AT_ONCE]
