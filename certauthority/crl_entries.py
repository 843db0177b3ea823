"""Read the entries of a CRL: their DER was written when each certificate was revoked.

A list may have a million of them. PostgreSQL puts them together itself, out of an index that holds them
(``certificate_listed``), and hands over one value as it is: row by row that takes several times as long, and many times
the memory. They stand in no order that means anything: RFC 5280, 5.1.2.6, asks for none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q

from certauthority.models import Authority, Certificate
from certauthority.models.revocation_list import FULL

_TOGETHER = """
    SELECT count(crl_entry), coalesce(string_agg(crl_entry, ''::bytea), ''::bytea) FROM certauthority_certificate
    WHERE revoked_at IS NOT NULL AND authority_id = %s
"""
_OF_SHARD = " AND crl_shard = %s"
_NOT_OVER = " AND (not_after >= %s OR on_crl_at >= %s OR on_crl_at IS NULL)"


@dataclass(frozen=True, slots=True)
class Entries:
    """How many there are, and their DER one after another."""

    count: int
    der: bytes


def read(authority: Authority, shard: int, *, since: datetime | None) -> Entries:
    """The entries of the next list: of a shard the certificates that name it, of the full one all.

    Each stays until one list after its certificate's end (RFC 5280, 3.3); ``since`` is when the last list was made.
    """
    if connection.vendor == "postgresql":
        return _read_together(authority, shard, since)
    rows = Certificate.objects.filter(authority=authority, revoked_at__isnull=False, crl_entry__isnull=False)
    if shard != FULL:
        rows = rows.filter(crl_shard=shard)
    if since is not None:
        rows = rows.filter(Q(not_after__gte=since) | Q(on_crl_at__gte=since) | Q(on_crl_at=None))
    found = [bytes(entry) for entry in rows.values_list("crl_entry", flat=True).iterator() if entry is not None]
    return Entries(len(found), b"".join(found))


def _read_together(authority: Authority, shard: int, since: datetime | None) -> Entries:
    statement = _TOGETHER
    values: list[int | datetime] = [authority.pk]
    if shard != FULL:
        statement, values = statement + _OF_SHARD, [*values, shard]
    if since is not None:
        statement, values = statement + _NOT_OVER, [*values, since, since]
    connection.ensure_connection()
    # As octets: Django's cursors get them as hexadecimal digits, twice as many.
    with connection.wrap_database_errors, connection.connection.cursor(binary=True) as cursor:
        count, der = cursor.execute(statement, values).fetchone()
    return Entries(count, bytes(der))
