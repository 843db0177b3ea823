"""The list of requests: whose it shows, filtered, searched and page after page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from certauthority.models import Authority
from connect.models import User
from kmp.models import Application
from tests.hostile.test_requests import GARBAGE
from tests.kmp.factories import XBS, make_entry, make_officer
from tests.kmp.wizard import browser, company_of, make_draft, make_renewal, make_two_officers, submitted, url
from tests.page_text import text_of

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """Certificates of the inventory are really signed."""


@pytest.fixture
def officers() -> tuple[User, User]:
    return make_two_officers()


@pytest.fixture
def olga(officers: tuple[User, User]) -> User:
    return officers[0]


@pytest.fixture
def piet(officers: tuple[User, User]) -> User:
    return officers[1]


@pytest.fixture
def as_olga(olga: User) -> Client:
    return browser(olga)


class TestList:
    def numbers(self, client: Client, **query: str) -> list[str]:
        page = client.get(url("requests"), query)
        return [found.number for found in page.context["page"].requests]

    def test_it_has_every_request_of_the_company_and_no_other(self, as_olga: Client, olga: User, piet: User) -> None:
        mine, his = make_draft(olga), make_draft(piet)
        theirs = make_draft(make_officer())
        page = text_of(as_olga.get(url("requests")))
        for words in (mine.number, his.number, "Piet Vos", "New request", "Renew by serial number", "2 requests"):
            assert words in page
        assert theirs.number not in page

    def test_none_yet(self, as_olga: Client) -> None:
        assert "No requests yet" in text_of(as_olga.get(url("requests")))
        assert "No request is like that" in text_of(as_olga.get(url("requests"), {"state": "signed"}))

    def test_filter_and_search(self, as_olga: Client, olga: User, piet: User) -> None:
        entry = make_entry(company_of(olga))
        draft, xbs, renewal = make_draft(olga), submitted(make_draft(piet, XBS)), make_renewal(olga, entry)
        for query, found in (
            ({"state": "submitted"}, [xbs]),
            ({"kind": "renewal"}, [renewal]),
            ({"application": XBS}, [xbs]),
            ({"state": "draft", "kind": "new"}, [draft]),
            ({"q": draft.number.lower()}, [draft]),
            ({"q": "mtf xbs"}, [xbs]),
            ({"q": "piet"}, [xbs]),
            ({"q": entry.reference}, [renewal]),
            ({"q": f"0x{entry.serial.upper()}"}, [renewal]),
            ({"q": "xbs olga"}, []),
            ({"q": "%"}, []),
            ({"state": "no-such", "kind": "x"}, [renewal, xbs, draft]),
        ):
            assert self.numbers(as_olga, **query) == [request.number for request in found], query

    def test_the_state_stands_in_the_address_and_htmx_swaps_the_table_alone(self, as_olga: Client, olga: User) -> None:
        make_draft(olga)
        full = as_olga.get(url("requests"), {"state": "draft", "q": "REQ"})
        assert '<option value="draft" selected>' in full.content.decode()
        assert 'value="REQ"' in full.content.decode()
        part = as_olga.get(url("requests"), {"state": "draft"}, headers=HTMX)
        assert part.content.decode().lstrip().startswith('<section class="card flush" id="requests"')
        assert "HX-Request" in part.headers["Vary"]

    def test_pages_go_back_and_forth_by_keys(self, as_olga: Client, olga: User) -> None:
        numbers = [make_draft(olga, csr=b"").number for _ in range(60)][::-1]
        first = as_olga.get(url("requests"), {"kind": "new"})
        page = first.context["page"]
        assert [found.number for found in page.requests] == numbers[:25]
        assert (page.newer, page.older) == ("", numbers[24])
        assert f"?kind=new&amp;after={numbers[24]}" in first.content.decode()
        assert self.numbers(as_olga, after=numbers[24]) == numbers[25:50]
        assert self.numbers(as_olga, after=numbers[49]) == numbers[50:]
        assert self.numbers(as_olga, before=numbers[50]) == numbers[25:50]
        assert self.numbers(as_olga, before=numbers[10]) == numbers[:25]

    def test_the_number_of_queries_does_not_grow(self, as_olga: Client, olga: User) -> None:
        as_olga.get(url("requests"))
        counts = []
        for _ in range(2):
            for _ in range(3):
                make_renewal(olga, make_entry(company_of(olga)))
            with CaptureQueriesContext(connection) as queries:
                as_olga.get(url("requests"))
            counts.append(len(queries))
        assert counts[0] == counts[1]

    @pytest.mark.parametrize("name", ["q", "state", "kind", "application", "after", "before", "seen"])
    def test_garbage_in_the_address_is_no_failure_of_ours(self, as_olga: Client, olga: User, name: str) -> None:
        draft = make_draft(olga, csr=b"")
        for value in GARBAGE:
            if value.startswith("%"):
                continue
            for address in (url("requests"), url("request", draft.number)):
                page = as_olga.get(address, {name: value})
                assert page.status_code == 200
                assert b"<script>alert" not in page.content

    def test_who_is_no_officer_is_sent_to_the_store(self, olga: User) -> None:
        olga.access_requests.update(state="withdrawn")
        for name in ("requests", "request_new", "renew_by_serial"):
            page = browser(olga).get(url(name))
            assert page.status_code == 403
            assert "Store" in text_of(page)
