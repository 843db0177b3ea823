"""100,000 requests of one company: server time of its list and of the staff's queue, in every way to look at them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.report import Result, at_most, seconds
from connect.models import AccessRequest, AccessState, Company, User
from connect.officers import KMP, OFFICER_LEVEL
from kmp import review_queue
from kmp.models import Application, CertificateRequest, RequestKind, RequestState
from tests.kmp.factories import make_many_entries
from tests.kmp.many_requests import make_many_requests

SIGNED, UNSIGNED = 50_000, 50_000
MILLISECONDS = 100
LETTERS = "a b c d e f g h i j k l m n o p q"


def measure() -> Iterator[Result]:
    """Median server time of whole pages, the slowest of each kind."""
    now = timezone.now()
    company = Company.objects.create(name="Requests Ltd", cid="135790", verified_at=now, group_email="r@bench.example")
    officers = _officers(company)
    made = make_many_requests(company, officers, UNSIGNED, signed=make_many_entries(company, SIGNED))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    officer, staff = Client(HTTP_HOST="localhost"), Client(HTTP_HOST="localhost")
    officer.force_login(officers[0])
    staff.force_login(User.objects.create_user("kim@bench.example", name="Kim", is_staff=True))
    middle, oldest = made[len(made) // 2], made[SIGNED]
    searches = _searches(made[SIGNED // 2])
    filters = [{"state": state.value} for state in RequestState] + [{"kind": kind.value} for kind in RequestKind]
    filters += [{"application": code} for code in Application.objects.values_list("code", flat=True)]
    places: list[dict[str, str]] = [{}, {"after": middle.number}, {"before": middle.number}, {"before": oldest.number}]
    yield _slowest(officer, "requests: first, middle, last page", "requests", places)
    yield _slowest(officer, "requests: filters", "requests", [one | place for one in filters for place in places[:2]])
    yield _slowest(officer, "requests: searches", "requests", [{"q": text} for text in searches])
    shows = [{"show": show.value} for show in review_queue.Show]
    ends = [{"show": show.value, "before": _last(show)} for show in review_queue.Show if _last(show)]
    yield _slowest(staff, "review queue: first pages", "review_queue", shows)
    yield _slowest(staff, "review queue: last pages", "review_queue", ends)
    narrow = [{**show, **one} for show in shows for one in [*({"q": text} for text in searches), *filters[-5:]]]
    yield _slowest(staff, "review queue: searches and filters", "review_queue", narrow)


def _searches(signed: CertificateRequest) -> list[str]:
    reference, name, serial = signed.certificate_words.split()
    return [
        signed.number,
        signed.number[-4:],
        reference,
        name,
        serial,
        f"0x{serial.upper()}",
        "client",
        "nothing like this",
        "a",
        "officer1",
        "identity prod",
        LETTERS,
        "requests ltd 135790 client mtf",
    ]


def _last(show: review_queue.Show) -> str:
    """The number of the last request in this list."""
    order = "-submitted_at" if show.is_waiting else "ended_at"
    found = CertificateRequest.objects.filter(show.condition).order_by(order)
    return found.values_list("number", flat=True).first() or ""


def _officers(company: Company) -> list[User]:
    now = timezone.now()
    by = User.objects.create_user("decider@requests.example", name="Bench", company=company)
    officers = [
        User.objects.create_user(f"officer{number}@requests.example", name=f"Officer {number}", company=company)
        for number in range(4)
    ]
    for officer in officers:
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
    return officers


def _slowest(client: Client, kind: str, page: str, queries: list[dict[str, str]]) -> Result:
    """Every address is measured; the slowest counts."""
    addresses = [f"{reverse(f'kmp:{page}')}?{urlencode(query)}" for query in queries]
    _get(client, addresses[0])
    spent = {address: seconds(partial(_get, client, address), times=3) for address in addresses}
    slowest = max(spent, key=lambda address: spent[address])
    milliseconds = seconds(partial(_get, client, slowest), times=9) * 1000
    note = ", ".join(f"{name}={values[0]}" for name, values in parse_qs(urlsplit(slowest).query).items())
    return at_most(f"{kind} ({len(addresses)} pages)", milliseconds, MILLISECONDS, "ms", f" ({note})")


def _get(client: Client, address: str) -> None:
    response = client.get(address)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}")
