"""Pages of requests by keys: every request once, in order, both ways, however they are looked for; and the search."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority
from connect.models import Company, User
from kmp import inventory_pages, keyset, request_list, review_queue
from kmp.applications import change_application
from kmp.models import CertificateRequest, RequestState, Review
from kmp.request_search import words_of
from kmp.signing import sign
from tests.factories import make_company
from tests.kmp.factories import XBS, application_of, make_entry, make_many_entries
from tests.kmp.many_requests import make_many_requests
from tests.kmp.wizard import company_of, make_draft, make_renewal, make_two_officers, submitted

COUNT = 170


@pytest.fixture
def olga(authorities: dict[str, Authority]) -> User:
    return make_two_officers()[0]


@pytest.fixture
def many(olga: User) -> list[CertificateRequest]:
    """Requests of Olga's company in every state, and some of a neighbour."""
    company = company_of(olga)
    neighbour = make_company(name="Neighbours Ltd")
    make_many_requests(neighbour, [olga], 20)
    return make_many_requests(company, [olga], COUNT, signed=make_many_entries(company, 30))


@pytest.fixture(params=["all keys at once", "along the index"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to find a page must give the same."""
    if request.param == "along the index":
        monkeypatch.setattr(keyset, "COUNTED", 5)
        monkeypatch.setattr(inventory_pages, "COUNTED", 5)


def company_pages(company: Company, wanted: request_list.Wanted) -> list[tuple[str, ...]]:
    pages, after = [], ""
    while True:
        page = request_list.page_of(company, wanted, after=after)
        pages.append(tuple(request.number for request in page.requests))
        assert bool(page.newer) == bool(after)
        if not page.older:
            return pages
        after = page.older


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("query", "is_met"),
    [
        ({}, lambda row: True),
        ({"state": "cancelled"}, lambda row: row.state == "cancelled"),
        ({"state": "signed"}, lambda row: row.state == "signed"),
        ({"q": "client"}, lambda row: True),
        ({"q": "olga", "kind": "new"}, lambda row: True),
        ({"q": "nothing like this"}, lambda row: False),
    ],
)
def test_a_companys_pages_hold_each_request_once_both_ways(
    olga: User, many: list[CertificateRequest], query: dict[str, str], is_met: Callable[[CertificateRequest], bool]
) -> None:
    company, wanted = company_of(olga), request_list.Wanted.read(query)
    expected = sorted((row.number for row in many if is_met(row)), reverse=True)
    pages = company_pages(company, wanted)
    assert [number for page in pages for number in page] == expected
    for earlier, page in zip(pages[-2::-1], pages[:0:-1], strict=True):
        back = request_list.page_of(company, wanted, before=page[0])
        assert tuple(request.number for request in back.requests) == earlier
    if len(pages) > 1:
        beyond = request_list.page_of(company, wanted, after=expected[-1])
        assert tuple(request.number for request in beyond.requests) == pages[0], "after the last comes the first page"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("search", ["", "client"])
@pytest.mark.parametrize("show", review_queue.Show)
def test_the_queues_pages_hold_each_request_once_both_ways(
    many: list[CertificateRequest], show: review_queue.Show, search: str
) -> None:
    wanted = review_queue.Wanted(show=show, search=search)
    name = "submitted_at" if show.is_waiting else "ended_at"
    rows = CertificateRequest.objects.filter(show.condition)
    expected = [
        row.number
        for row in sorted(rows, key=lambda row: (getattr(row, name), row.pk.bytes), reverse=not show.is_waiting)
    ]
    assert len(expected) > 15
    pages, after = [], ""
    while True:
        page = review_queue.page_of(wanted, after=after)
        pages.append([request.number for request in page.requests])
        if not page.next:
            break
        after = page.next
    assert [number for numbers in pages for number in numbers] == expected
    for earlier, numbers in zip(pages[-2::-1], pages[:0:-1], strict=True):
        back = review_queue.page_of(wanted, before=numbers[0])
        assert [request.number for request in back.requests] == earlier


@pytest.mark.parametrize("number", ["REQ-1", "nothing", "٠", "x" * 300])
def test_an_unknown_place_in_the_queue_is_its_first_page(many: list[CertificateRequest], number: str) -> None:
    first = review_queue.page_of(review_queue.Wanted()).requests
    assert review_queue.page_of(review_queue.Wanted(), after=number).requests == first
    assert review_queue.page_of(review_queue.Wanted(), before=number).requests == first


def test_counting_ends_where_nobody_reads_further(
    olga: User, many: list[CertificateRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "COUNTED", 20)
    monkeypatch.setattr(inventory_pages, "COUNTED", 20)
    for wanted in (request_list.Wanted(), request_list.Wanted(search="client")):
        assert str(request_list.page_of(company_of(olga), wanted).total) == "20+"
    assert str(request_list.page_of(company_of(olga), request_list.Wanted(search="nothing")).total) == "0"
    assert str(review_queue.page_of(review_queue.Wanted(show=review_queue.Show.SIGNED)).total) == "20+"
    assert str(review_queue.waiting_count()) == "20+"


class TestSearch:
    def found(self, olga: User, text: str) -> set[str]:
        return {row.number for row in request_list.page_of(company_of(olga), request_list.Wanted(search=text)).requests}

    def test_words_of_what_was_signed_and_renewed_are_found(self, olga: User) -> None:
        entry = make_entry(company_of(olga), XBS)
        renewal = submitted(make_renewal(olga, entry))
        other = make_draft(olga)
        signed = sign(renewal, decided_by="Kay", actor=Actor("kay@site.example"), now=timezone.now())
        for text in (
            entry.reference,
            signed.reference,
            entry.serial,
            f"0x{signed.serial.upper()}",
            signed.serial[4:12],
            "cross-border",
            f"olga {signed.reference.lower()}",
        ):
            assert self.found(olga, text) == {renewal.number}, text
        assert self.found(olga, other.common_name) == {other.number}
        assert self.found(olga, "olga@acme.example") == {renewal.number, other.number}

    def test_a_new_name_of_an_application_or_a_person_is_found_at_once(self, olga: User) -> None:
        draft = make_draft(olga, XBS)
        application = application_of(XBS)
        now, review = timezone.now(), Review(application.review)
        change_application(
            application, name="Wholly New", description="", review=review, is_open=True, actor=Actor("x"), now=now
        )
        User.objects.filter(pk=olga.pk).update(name="Olga Newname")
        assert self.found(olga, "wholly newname") == {draft.number}
        assert self.found(olga, "cross-border") == self.found(olga, "stern") == set()

    def test_staff_find_companies_by_name_and_cid_and_officers_do_not(self, olga: User) -> None:
        request = submitted(make_draft(olga))
        for text in ("acme payments", "123456", "stern payments"):
            show = review_queue.Show.AUTOMATIC
            page = review_queue.page_of(review_queue.Wanted(show=show, search=text))
            assert [row.number for row in page.requests] == [request.number], text
        assert self.found(olga, "payments") == set()

    def test_at_most_five_words_are_looked_for_and_the_page_says_so(self, olga: User) -> None:
        draft = make_draft(olga)
        assert words_of("a B a b c d e f g") == ("a", "b", "c", "d", "e")
        wanted = request_list.Wanted.read({"q": f"{draft.number} olga acme.example client mtf nothing"})
        assert wanted.is_cut
        assert not request_list.Wanted.read({"q": "one two three four five ONE"}).is_cut
        page = request_list.page_of(company_of(olga), wanted)
        assert [row.number for row in page.requests] == [draft.number]

    def test_the_queries_do_not_grow_with_what_is_found(self, olga: User) -> None:
        counts = []
        for _ in range(2):
            make_many_requests(company_of(olga), [olga], 60)
            with CaptureQueriesContext(connection) as captured:
                self.found(olga, "client olga")
            counts.append(len(captured))
            assert not [query for query in captured if " OFFSET " in query["sql"]]
        assert counts == [6, 6]


def test_requests_that_there_were_before_get_their_words(transactional_db: None, olga: User) -> None:
    entry = make_entry(company_of(olga))
    renewal = submitted(make_renewal(olga, entry))
    signed = sign(renewal, decided_by="Kay", actor=Actor("kay@site.example"), now=timezone.now())
    renewal.refresh_from_db()
    words = renewal.certificate_words
    assert words == " ".join(f"{named.reference} {named.common_name} {named.serial}" for named in (entry, signed))
    MigrationExecutor(connection).migrate([("kmp", "0005_whole_requests")])
    # Forward to where the model is now: what comes after it in this process finds the columns of today.
    MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("kmp"))
    renewal.refresh_from_db()
    assert renewal.certificate_words == words
    assert words.lower() in renewal.search_text
    assert renewal.state == RequestState.SIGNED
