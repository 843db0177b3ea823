"""`Export as CSV`: exactly what the filter shows, all of it, and nothing that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connect.models import Company
from connect.templatetags.look import colon_hex
from kmp import inventory_file
from kmp.inventory_file import harmless
from kmp.models import InventoryEntry
from tests.factories import make_company
from tests.kmp.factories import make_entry, make_many_entries

URL = "/kmp/certificates.csv"


def lines(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_line_has_every_column(as_olga: Client, acme: Company) -> None:
    entry = make_entry(acme)
    response = as_olga.get(URL)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="certificates-{timezone.now():%Y-%m-%d}.csv"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert lines(response) == [
        ["Reference", "Application", "Environment", "Common name", "Serial number", "Issued", "Expires", "Status"],
        [
            entry.reference,
            "Developers portal client",
            "MTF",
            entry.common_name,
            colon_hex(entry.serial),
            f"{entry.issued_at:%Y-%m-%dT%H:%M:%SZ}",
            f"{entry.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "Active",
        ],
    ]


def test_it_holds_all_that_is_filtered_in_the_order_of_the_table(as_olga: Client, acme: Company) -> None:
    make_many_entries(make_company(), 20)
    made = make_many_entries(acme, 1234)
    wanted = {"environment": "mtf", "status": "active", "sort": "-reference", "q": "client"}
    found = [line[0] for line in lines(as_olga.get(URL, wanted))[1:]]
    numbers = [int(reference.removeprefix("KM-")) for reference in found]
    assert numbers == sorted(numbers, reverse=True)
    assert found
    active = InventoryEntry.objects.filter(pk__in=[entry.pk for entry in made], environment="mtf", state=0)
    late = active.filter(expires_at__gt=timezone.now() + timedelta(days=31))
    assert set(found) == set(late.values_list("reference", flat=True))


def test_it_is_sent_piece_by_piece(as_olga: Client, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_file, "_LINES", 10)
    make_many_entries(acme, 95)
    response: Any = as_olga.get(URL)
    assert response.streaming
    pieces = list(response.streaming_content)
    assert [piece.count(b"\r\n") for piece in pieces] == [11, *[10] * 8, 5]
    assert sum(piece.count(b"\xef\xbb\xbf") for piece in pieces) == 1


def test_the_queries_do_not_grow_with_the_file(as_olga: Client, acme: Company) -> None:
    found = []
    as_olga.get(URL)  # What a session remembers is asked once.
    for count in (10, 3000):
        make_many_entries(acme, count)
        with CaptureQueriesContext(connection) as captured:
            assert len(lines(as_olga.get(URL))) > count
        found.append(len(captured))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "＠x", "＋1", "－1", '="x",1'],
)
def test_what_a_spreadsheet_would_calculate_is_made_text(as_olga: Client, acme: Company, name: str) -> None:
    (entry,) = make_many_entries(acme, 1)
    InventoryEntry.objects.filter(pk=entry.pk).update(common_name=name)
    (line,) = lines(as_olga.get(URL))[1:]
    assert line[3] == f"'{name}"


@pytest.mark.parametrize("name", ["1700000000-Client-MTF-123456", "a=b", "Müller & Söhne", 'say "x", y', "", "x\ny"])
def test_other_names_are_as_they_are(as_olga: Client, acme: Company, name: str) -> None:
    (entry,) = make_many_entries(acme, 1)
    InventoryEntry.objects.filter(pk=entry.pk).update(common_name=name)
    (line,) = lines(as_olga.get(URL))[1:]
    assert line[3] == name == harmless(name)


def test_nothing_found_is_the_head_alone(as_olga: Client, acme: Company) -> None:
    make_many_entries(acme, 3)
    assert len(lines(as_olga.get(URL, {"q": "nothing like this"}))) == 1


def test_a_wrong_filter_leads_back_to_the_table(as_olga: Client, acme: Company) -> None:
    response = as_olga.get(URL, {"status": "lost", "q": "a&b"})
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('kmp:inventory')}?status=lost&q=a%26b"
