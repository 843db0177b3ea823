"""The inventory of a company with 100,000 certificates: server time and queries of every way to look at it.

The officer who looks has read 100,000 notices: the bell stands on every page.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench.report import Result, at_most, seconds
from connect.models import AccessRequest, AccessState, Channel, Company, Notice, NoticeState, User
from connect.officers import KMP, OFFICER_LEVEL
from kmp.inventory import Order, Sort, Wanted
from kmp.inventory_pages import page_of
from kmp.inventory_search import Status
from kmp.models import Application, InventoryEntry
from tests.kmp.factories import make_many_entries

FEW, MANY, OTHERS = 100, 100_000, 20_000
MILLISECONDS = 100
FILE_SECONDS = 20


def measure() -> Iterator[Result]:
    """Median server time of whole pages, the slowest of each kind, and whether queries grow with the inventory."""
    company = Company.objects.create(
        name="Inventory Ltd", cid="246810", verified_at=timezone.now(), group_email="kmp@bench.example"
    )
    client, officer = Client(HTTP_HOST="localhost"), _officer(company)
    client.force_login(officer)
    _make_read_notices(officer)
    make_many_entries(Company.objects.create(name="Neighbours Ltd"), OTHERS)
    make_many_entries(company, FEW)
    few = _queries(client, _url(q="client", sort="status"))
    made = make_many_entries(company, MANY - FEW)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    yield at_most(
        f"queries: more than with {FEW}", _queries(client, _url(q="client", sort="status")) - few, 0, "queries"
    )
    for kind, addresses in _addresses(company, made[MANY // 2]).items():
        yield _slowest(client, kind, addresses)
    yield _file(client)


def _addresses(company: Company, entry: InventoryEntry) -> dict[str, list[str]]:
    """Every order from both ends and from the middle, every filter in every order, and searches of every kind."""
    orders = [str(Order(sort, is_descending)) for sort in Sort for is_descending in (False, True)]
    filters: list[dict[str, str]] = [
        {"application": code} for code in Application.objects.values_list("code", flat=True)
    ]
    filters += [{"environment": "mtf"}, {"environment": "production"}, *({"status": status.value} for status in Status)]
    filters += [
        {
            "expires_from": f"{timezone.now():%Y-%m-%d}",
            "expires_until": f"{timezone.now() + timedelta(days=3):%Y-%m-%d}",
        },
        {"application": "xbs-api-mtls", "environment": "production", "status": "expired"},
    ]
    searches = [
        entry.reference,
        entry.serial,
        entry.serial[8:20].upper(),
        entry.common_name,
        entry.common_name[4:9],
        "client",
        "production",
        "Expiring soon",
        f"{entry.expires_at:%-d %b %Y}",
        f"{entry.expires_at:%B %Y}",
        "nothing like this",
        "a",
        "prod client insights",
    ]
    return {
        "first page, every order": [_url(sort=order) for order in orders],
        "last page, every order": [_last(company, order) for order in orders],
        "from the middle, every order": [_url(sort=order, after=entry.reference) for order in orders],
        "every filter in every order": [_url(**chosen, sort=order) for chosen in filters for order in orders],
        "every filter from the middle, every order": [
            _url(**chosen, sort=order, after=entry.reference) for chosen in filters for order in orders
        ],
        "every search in every order": [_url(q=text, sort=order) for text in searches for order in orders],
    }


def _last(company: Company, order: str) -> str:
    """The page before the last entry in this order."""
    last = page_of(company, Wanted(), Order.read(order).reverse, now=timezone.now()).rows[0].entry
    return _url(sort=order, before=last.reference)


def _slowest(client: Client, kind: str, addresses: list[str]) -> Result:
    """Every address is measured; the slowest counts."""
    _get(client, addresses[0])
    slowest, spent = "", 0.0
    for address in addresses:
        found = seconds(partial(_get, client, address), times=3)
        if found > spent:
            slowest, spent = address, found
    spent = seconds(partial(_get, client, slowest), times=9) * 1000
    note = ", ".join(f"{name}={values[0]}" for name, values in parse_qs(urlsplit(slowest).query).items())
    return at_most(f"{kind} ({len(addresses)} pages)", spent, MILLISECONDS, "ms", f" ({note})")


def _file(client: Client) -> Result:
    start = time.perf_counter()
    lines = sum(piece.count(b"\r\n") for piece in client.get(reverse("kmp:inventory_file")))
    if lines != MANY + 1:
        raise RuntimeError(f"The file has {lines} lines")
    return at_most(f"CSV file of {MANY:,} certificates", time.perf_counter() - start, FILE_SECONDS, "s")


def _officer(company: Company) -> User:
    now = timezone.now()
    by = User.objects.create_user("administrator@bench.example", name="Bench", company=company)
    for number in range(2):
        officer = User.objects.create_user(f"officer{number}@bench.example", name="Bench", company=company)
        AccessRequest.objects.create(
            user=officer,
            company=company,
            application=KMP,
            level=OFFICER_LEVEL,
            state=AccessState.GRANTED,
            requested_at=now,
            decided_at=now,
            decided_by=by,
        )
    return officer


def _make_read_notices(officer: User) -> None:
    """What an officer of many years has read: every page counts what is unread."""
    now = timezone.now()
    Notice.objects.bulk_create(
        (
            Notice(
                event=f"bench:{number}",
                kind="kmp.request-signed",
                channel=Channel.BELL,
                address=officer.email,
                recipient=officer,
                company=officer.company,
                subject="ENTRY was signed: Developers portal client, MTF",
                state=NoticeState.SENT,
                created_at=now - timedelta(minutes=number),
                due_at=now,
                sent_at=now,
                read_at=now,
            )
            for number in range(MANY)
        ),
        batch_size=5_000,
    )


def _url(**values: str) -> str:
    return f"{reverse('kmp:inventory')}?{urlencode(values)}"


def _get(client: Client, address: str) -> None:
    response = client.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        _get(client, address)
    return len(captured)
