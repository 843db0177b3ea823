"""The inventory as a CSV file, line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

from connect.models import Company
from connect.templatetags.look import colon_hex
from kmp.inventory import COLUMNS, Order, Status, Wanted, rows_for_file
from kmp.models import Environment, InventoryEntry

# What a spreadsheet takes for a formula where it stands first, also in full width (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BYTE_ORDER_MARK = "\ufeff"
_LINES = 500


def file_lines(company: Company, wanted: Wanted, order: Order, *, now: datetime) -> Iterator[str]:
    """Some lines at a time: the head, then every entry that is wanted, in order (RFC 4180).

    The byte order mark at the beginning tells spreadsheets that it is UTF-8.
    """
    buffer = StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    buffer.write(_BYTE_ORDER_MARK)
    writer.writerow([sort.label for sort in COLUMNS])
    for number, (entry, status) in enumerate(rows_for_file(company, wanted, order, now=now), start=1):
        writer.writerow([harmless(cell) for cell in _cells(entry, status)])
        if number % _LINES == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def harmless(cell: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would calculate it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _cells(entry: InventoryEntry, status: Status) -> list[str]:
    # Colons keep a spreadsheet from reading a serial number such as 12e7 as a number.
    return [
        entry.reference,
        entry.application_name,
        str(Environment(entry.environment).label),
        entry.common_name,
        colon_hex(entry.serial),
        _moment(entry.issued_at),
        _moment(entry.expires_at),
        str(status.label),
    ]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _taken(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
