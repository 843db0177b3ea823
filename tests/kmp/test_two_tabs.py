"""The review open in two tabs: nobody submits, or writes over, what the page they look at never showed."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from certauthority.models import Authority
from connect.models import User
from kmp.models import CertificateRequest, RequestState
from tests.kmp.factories import make_kmp_csr, rules_for
from tests.kmp.wizard import browser, company_of, file_of, make_draft, make_two_officers, review_form, url
from tests.page_text import text_of

CHANGED = "was changed elsewhere after this page was opened, and nothing of this page was kept."


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """The CA that is asked for."""


@pytest.fixture
def olga() -> User:
    return make_two_officers()[0]


@pytest.fixture
def as_olga(olga: User) -> Client:
    return browser(olga)


@pytest.fixture
def draft(olga: User) -> CertificateRequest:
    return make_draft(olga)


def form_of(client: Client, draft: CertificateRequest, **typed: object) -> dict[str, object]:
    """The form of the review with what the page of this very tab carries."""
    page = client.get(url("request_review", draft.number)).content.decode()
    found = re.search(r'name="shown" value="([0-9a-f-]+)"', page)
    assert found is not None
    return {"csr": "", "names": "", "contact": "olga@acme.example", "shown": found[1], **typed}


def another_csr(olga: User) -> bytes:
    return make_kmp_csr(rules_for(company_of(olga)))


def test_a_csr_that_the_tab_never_showed_is_not_submitted(
    as_olga: Client, olga: User, draft: CertificateRequest
) -> None:
    old_tab = form_of(as_olga, draft)
    csr = another_csr(olga)
    as_olga.post(url("request_csr", draft.number), {"csr_file": file_of(csr, "other.csr")})
    page = as_olga.post(url("request_submit", draft.number), old_tab)
    assert page.status_code == 200
    assert f"{draft.number} {CHANGED} Below is what the draft holds now: look at it first." in text_of(page)
    assert "other.csr" in text_of(page), "the review is shown anew"
    draft.refresh_from_db()
    assert (draft.state, bytes(draft.csr)) == (RequestState.DRAFT, csr)
    again = form_of(as_olga, draft)
    assert str(again["shown"]) in page.content.decode(), "who has seen it now can submit it"
    as_olga.post(url("request_submit", draft.number), again)
    draft.refresh_from_db()
    assert draft.state == RequestState.SUBMITTED


@pytest.mark.parametrize("button", ["request_review", "request_submit"])
def test_an_old_tab_writes_over_no_newer_names(as_olga: Client, draft: CertificateRequest, button: str) -> None:
    old_tab = form_of(as_olga, draft, names="typed.acme.example", contact="typed@acme.example")
    as_olga.post(url("request_review", draft.number), form_of(as_olga, draft, names="newer.acme.example"))
    page = as_olga.post(url(button, draft.number), old_tab)
    told = f"{CHANGED} The draft now has the names newer.acme.example, and the contact olga@acme.example."
    assert told in text_of(page)
    for typed in ("typed.acme.example", "typed@acme.example"):
        assert typed in page.content.decode(), "nothing that was typed is lost"
    draft.refresh_from_db()
    assert (draft.state, draft.alternative_names) == (RequestState.DRAFT, ["newer.acme.example"])


def test_names_that_are_wrong_leave_those_of_the_other_tab(as_olga: Client, draft: CertificateRequest) -> None:
    old_tab = form_of(as_olga, draft, names="*.acme.example")
    as_olga.post(url("request_review", draft.number), form_of(as_olga, draft, names="newer.acme.example"))
    as_olga.post(url("request_review", draft.number), old_tab)
    draft.refresh_from_db()
    assert draft.alternative_names == ["newer.acme.example"]


def test_a_corrected_csr_from_an_old_tab_writes_over_no_newer_one(
    as_olga: Client, olga: User, draft: CertificateRequest
) -> None:
    old_tab = form_of(as_olga, draft, csr_file=file_of(another_csr(olga), "old-tab.csr"))
    newer = another_csr(olga)
    as_olga.post(url("request_csr", draft.number), {"csr": newer.decode()})
    page = as_olga.post(url("request_review", draft.number), old_tab)
    assert CHANGED in text_of(page)
    assert "Choose the file again" in text_of(page)
    draft.refresh_from_db()
    assert bytes(draft.csr).strip() == newer.strip()


def test_an_application_chosen_in_another_tab_is_shown_first(as_olga: Client, draft: CertificateRequest) -> None:
    old_tab = form_of(as_olga, draft)
    CertificateRequest.objects.filter(pk=draft.pk).update(environment="production")
    assert CHANGED in text_of(as_olga.post(url("request_submit", draft.number), old_tab))


def test_a_form_sent_twice_is_no_surprise(as_olga: Client, olga: User, draft: CertificateRequest) -> None:
    for csr, names in (("", "a.acme.example"), (another_csr(olga).decode(), "b.acme.example")):
        form = form_of(as_olga, draft, csr=csr, names=names)
        for _ in range(2):
            assert as_olga.post(url("request_review", draft.number), form).status_code == 302
    draft.refresh_from_db()
    assert draft.alternative_names == ["b.acme.example"]


@pytest.mark.parametrize("shown", ["", "x", "\x00", "-", "-" * 300, "\ud800".encode("utf-8", "surrogatepass")])
def test_a_form_that_tells_nothing_of_what_it_showed_is_shown_anew(
    as_olga: Client, draft: CertificateRequest, shown: object
) -> None:
    form = review_form(draft, names="typed.acme.example", shown=shown)
    assert CHANGED in text_of(as_olga.post(url("request_submit", draft.number), form))
    draft.refresh_from_db()
    assert (draft.state, draft.alternative_names) == (RequestState.DRAFT, [])
