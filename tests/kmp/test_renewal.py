"""Renewal: from the inventory, and by serial number."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from connect.models import User
from connect.templatetags.look import colon_hex
from kmp.entries import revoke
from kmp.models import CertificateRequest, InventoryEntry, RequestState
from tests.hostile.traces import fingerprint_of_database
from tests.kmp.factories import XBS, let_entry_expire, make_entry, make_officer
from tests.kmp.wizard import (
    browser,
    company_of,
    csr_for_renewal,
    file_of,
    make_renewal,
    make_two_officers,
    review_form,
    submitted,
    url,
)
from tests.page_text import text_of

NO_SUCH = "The inventory of your company has no certificate with this serial number."


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
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


@pytest.fixture
def entry(olga: User) -> InventoryEntry:
    return make_entry(company_of(olga), unique="1768953600", alternative_names=("pay.acme.example",))


class TestFromTheInventory:
    def test_the_form_is_filled_from_the_expiring_record(self, as_olga: Client, entry: InventoryEntry) -> None:
        text = text_of(as_olga.get(url("entry_renew", entry.reference)))
        for words in (
            "Renew Certificate",
            entry.reference,
            "Developers portal client",
            "MTF, profile Client",
            "Expiring Certificate DN",
            entry.certificate.subject,
            "DN Requirements",
            "pay.acme.example",
            "Upload CSR",
            "Next",
        ):
            assert words in text

    def test_from_the_csr_to_submit(self, as_olga: Client, olga: User, entry: InventoryEntry) -> None:
        csr = csr_for_renewal(entry)
        response = as_olga.post(url("entry_renew", entry.reference), {"csr_file": file_of(csr)})
        draft = CertificateRequest.objects.get()
        assert response.headers["Location"] == url("request_review", draft.number)
        assert (draft.expiring, draft.application, draft.environment) == (entry, entry.application, "mtf")
        assert (draft.officer, draft.alternative_names) == (olga, ["pay.acme.example"])
        page = text_of(as_olga.get(url("request_review", draft.number)))
        assert "Expiring certificate Your CSR DN Requirements Verdict" in page
        assert "A new key, as it should be" in page
        form = review_form(draft, names="pay.acme.example", contact="certs@acme.example")
        assert as_olga.post(url("request_submit", draft.number), form).headers["Location"] == url(
            "request", draft.number
        )
        draft.refresh_from_db()
        assert draft.state == RequestState.SUBMITTED

    def test_looking_begins_nothing(self, as_olga: Client, entry: InventoryEntry) -> None:
        before = fingerprint_of_database()
        as_olga.get(url("entry_renew", entry.reference))
        as_olga.post(url("entry_renew", entry.reference), {"csr": "no CSR"})
        as_olga.post(url("renew_by_serial"), {"serial": entry.serial})
        assert fingerprint_of_database() == before

    def test_an_attribute_that_differs_is_named(self, as_olga: Client, olga: User, entry: InventoryEntry) -> None:
        draft = make_renewal(olga, entry, csr=csr_for_renewal(entry, O="Acme Payments Ltd plc"))
        page = as_olga.get(url("request_review", draft.number))
        assert "One attribute must change before you can submit: O" in text_of(page)
        assert "Take “plc” away" in text_of(page)
        assert "<mark>plc</mark>" in page.content.decode()

    def test_the_draft_that_has_begun_goes_on(self, as_olga: Client, olga: User, entry: InventoryEntry) -> None:
        draft = make_renewal(olga, entry)
        assert as_olga.get(url("entry_renew", entry.reference)).headers["Location"] == url("request_csr", draft.number)
        as_olga.post(url("entry_renew", entry.reference), {"csr": csr_for_renewal(entry).decode()})
        assert CertificateRequest.objects.count() == 1

    def test_what_a_renewal_is_for_does_not_change(self, as_olga: Client, olga: User, entry: InventoryEntry) -> None:
        draft = make_renewal(olga, entry)
        for method in (as_olga.get, as_olga.post):
            response = method(url("request_details", draft.number), {"application": XBS, "environment": "production"})
            assert response.headers["Location"] == url("request_csr", draft.number)
        draft.refresh_from_db()
        assert draft.application == entry.application


class TestWhatCannotBeRenewed:
    """An expired certificate may be renewed; a revoked one and one with a successor may not."""

    def test_an_expired_one_may(self, as_olga: Client, entry: InventoryEntry) -> None:
        let_entry_expire(entry, in_days=-3)
        assert "it can still be renewed" in text_of(as_olga.get(url("entry_renew", entry.reference)))
        response = as_olga.post(url("entry_renew", entry.reference), {"csr": csr_for_renewal(entry).decode()})
        assert response.status_code == 302
        assert "This CSR can be submitted" in text_of(as_olga.get(response.headers["Location"]))

    def test_a_revoked_one_may_not(self, as_olga: Client, entry: InventoryEntry) -> None:
        revoke(entry, reason=RevocationReason.SUPERSEDED, actor=Actor("x"), now=entry.issued_at)
        pasted = csr_for_renewal(entry).decode()
        for page in (
            as_olga.get(url("entry_renew", entry.reference)),
            as_olga.post(url("entry_renew", entry.reference), {"csr": pasted}),
        ):
            assert f"{entry.reference} was revoked. A revoked certificate is never renewed" in text_of(page)
            assert "New request" in text_of(page)
        assert pasted.splitlines()[1] in page.content.decode(), "what was pasted is not lost"
        assert not CertificateRequest.objects.exists()

    def test_a_superseded_one_leads_to_the_newest(self, as_olga: Client, entry: InventoryEntry) -> None:
        newest = make_entry(renews=make_entry(renews=entry))
        page = text_of(as_olga.post(url("entry_renew", entry.reference), {"csr": csr_for_renewal(entry).decode()}))
        assert f"The newest version is {newest.reference}" in page
        assert f"Open {newest.reference}" in page
        assert not CertificateRequest.objects.exists()

    def test_one_that_was_revoked_after_the_draft_began(
        self, as_olga: Client, olga: User, entry: InventoryEntry
    ) -> None:
        draft = make_renewal(olga, entry)
        revoke(entry, reason=RevocationReason.SUPERSEDED, actor=Actor("x"), now=entry.issued_at)
        form = review_form(draft, names="typed.acme.example", contact="certs@acme.example")
        page = as_olga.post(url("request_submit", draft.number), form)
        assert f"{entry.reference} was revoked." in text_of(page)
        draft.refresh_from_db()
        assert (draft.state, draft.alternative_names) == (RequestState.DRAFT, ["typed.acme.example"])


class TestTheOtherOfficer:
    def test_the_second_is_told_who_has_it_and_may_take_it_over(
        self, olga: User, piet: User, entry: InventoryEntry
    ) -> None:
        draft, as_piet = make_renewal(olga, entry), browser(piet)
        sentence = f"Olga Stern is renewing this certificate with {draft.number}."
        pasted = csr_for_renewal(entry).decode()
        page = as_piet.post(url("entry_renew", entry.reference), {"csr": pasted})
        assert sentence in text_of(page)
        assert pasted.splitlines()[1] in page.content.decode()
        for page in (
            as_piet.get(url("entry_renew", entry.reference)),
            as_piet.post(url("renew_by_serial"), {"serial": entry.serial}),
        ):
            assert sentence in text_of(page)
            assert url("request_take_over", draft.number) in page.content.decode()
        assert as_piet.post(url("request_take_over", draft.number)).headers["Location"] == url(
            "request_csr", draft.number
        )
        draft.refresh_from_db()
        assert draft.officer == piet
        assert CertificateRequest.objects.count() == 1

    def test_one_that_is_submitted_cannot_be_taken_over(self, olga: User, piet: User, entry: InventoryEntry) -> None:
        request, as_piet = submitted(make_renewal(olga, entry)), browser(piet)
        page = as_piet.get(url("entry_renew", entry.reference))
        assert f"with {request.number}, which is submitted. Wait for the decision." in text_of(page)
        assert "Take over" not in text_of(page)
        told = text_of(as_piet.post(url("request_take_over", request.number), follow=True))
        assert f"{request.number} is submitted now and cannot be taken over." in told


class TestBySerialNumber:
    @pytest.mark.parametrize(
        "write",
        [
            str.lower,
            str.upper,
            colon_hex,
            lambda serial: colon_hex(serial).lower(),
            lambda serial: colon_hex(serial).replace(":", " "),
            lambda serial: f"0x{serial}",
            lambda serial: f"0X000{serial.upper()}",
            lambda serial: f"  00:00:{colon_hex(serial)}\n",
        ],
        ids=["lower", "upper", "colons", "lower colons", "spaces", "0x", "0X and zeros", "edges"],
    )
    def test_it_is_taken_in_every_writing(
        self, as_olga: Client, entry: InventoryEntry, write: Callable[[str], str]
    ) -> None:
        text = text_of(as_olga.post(url("renew_by_serial"), {"serial": write(entry.serial)}))
        for words in ("Expiring Certificate DN", entry.certificate.subject, "DN Requirements", entry.reference):
            assert words in text

    def test_before_nothing_of_it_appears(self, as_olga: Client) -> None:
        text = text_of(as_olga.get(url("renew_by_serial")))
        assert "Expiring Certificate Serial Number" in text
        assert "Expiring Certificate DN" not in text

    def test_it_goes_on_as_from_the_inventory(self, as_olga: Client, entry: InventoryEntry) -> None:
        page = as_olga.post(url("renew_by_serial"), {"serial": entry.serial}).content.decode()
        action = re.search(
            r'<form class="card stack" method="post" enctype="multipart/form-data" action="([^"]+)"', page
        )
        assert action is not None
        response = as_olga.post(action.group(1), {"csr_file": file_of(csr_for_renewal(entry))})
        assert response.headers["Location"] == url("request_review", CertificateRequest.objects.get().number)

    def test_a_draft_that_has_begun_is_offered(self, as_olga: Client, olga: User, entry: InventoryEntry) -> None:
        draft = make_renewal(olga, entry)
        assert f"Go on with {draft.number}" in text_of(as_olga.post(url("renew_by_serial"), {"serial": entry.serial}))

    def test_that_of_another_company_is_as_if_it_did_not_exist(self, as_olga: Client) -> None:
        theirs = make_entry(company_of(make_officer()))
        answers, numbers = [], []
        as_olga.get(url("renew_by_serial"))  # The first page of a session notes that it is in use.
        for serial in (theirs.serial, "ab" * (len(theirs.serial) // 2)):
            with CaptureQueriesContext(connection) as queries:
                page = as_olga.post(url("renew_by_serial"), {"serial": serial})
            answers.append(re.sub(r"csrf\w*\W+[\w-]+|[A-Za-z0-9]{64}", "", text_of(page).replace(serial, "")))
            numbers.append(len(queries))
            assert NO_SUCH in text_of(page)
            assert f'value="{serial}"' in page.content.decode(), "what was typed is still there"
        assert answers[0] == answers[1]
        assert numbers[0] == numbers[1]
        assert theirs.reference not in answers[0]

    @pytest.mark.parametrize("typed", ["", "xyz", "0", "0x", "::", "-5", "1" * 41, "9" * 300, "１２", "a\x00b", "🦊"])
    def test_what_is_no_serial_number_is_said(self, as_olga: Client, typed: str) -> None:
        page = as_olga.post(url("renew_by_serial"), {"serial": typed})
        assert page.status_code == 200
        assert 'class="errors"' in page.content.decode()
        assert "Expiring Certificate DN" not in text_of(page)


def test_another_companys_reference_does_not_exist(as_olga: Client) -> None:
    theirs = make_entry(company_of(make_officer()))
    numbers = []
    as_olga.get(url("requests"))  # The first page of a session notes that it is in use.
    for reference in (theirs.reference, "KM-999999", "x", "%00", "KM-%F0%9F%A6%8A"):
        with CaptureQueriesContext(connection) as queries:
            response = as_olga.get(f"/kmp/certificates/{reference}/renew/")
        assert response.status_code == 404
        numbers.append(len(queries))
        assert as_olga.post(f"/kmp/certificates/{reference}/renew/", {"csr": "x"}).status_code == 404
    assert numbers[0] == numbers[1]
