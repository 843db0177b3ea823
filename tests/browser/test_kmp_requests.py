"""Requests of KMP in a real browser: a renewal that is seen signed without reloading, filters, life without script."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from audit.events import Actor
from certauthority.models import Authority
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from connect.templatetags.look import colon_hex
from kmp import automatic_review
from kmp.models import CertificateRequest
from kmp.requests import reject
from tests.browser.test_credentials import sign_in
from tests.browsing import DESKTOP, PHONE
from tests.kmp.factories import XBS, make_chain, make_entry
from tests.kmp.wizard import company_of, csr_for_renewal, make_draft, make_renewal, make_two_officers, submitted, url


@pytest.fixture
def officers(live_site: str, authorities: dict[str, Authority]) -> tuple[User, User]:
    return make_two_officers()


@pytest.fixture
def olga(officers: tuple[User, User], browser_context: BrowserContext, live_site: str) -> User:
    sign_in(browser_context, officers[0], live_site)
    return officers[0]


def file_of(csr: bytes) -> FilePayload:
    return {"name": "renewal.csr", "mimeType": "application/octet-stream", "buffer": csr}


def test_a_renewal_by_serial_number_is_seen_signed_without_reloading(page: Page, live_site: str, olga: User) -> None:
    entry = make_entry(company_of(olga))
    page.goto(live_site + url("requests"))
    page.get_by_role("link", name="Renew by serial number").click()
    page.get_by_label("Expiring Certificate Serial Number").fill(colon_hex(entry.serial).lower())
    page.get_by_role("button", name="Find the certificate").click()
    expect(page.get_by_text("Expiring Certificate DN")).to_be_visible()
    expect(page.get_by_role("heading", name="DN Requirements")).to_be_visible()

    page.get_by_label("CSR file").set_input_files(file_of(csr_for_renewal(entry, OU="Other")))
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("One attribute must change before you can submit: OU")
    page.get_by_label("CSR file").set_input_files(file_of(csr_for_renewal(entry)))
    page.get_by_role("button", name="Check again").click()
    page.get_by_label("Subject Alternate Names (SAN)").fill("pay.acme.example, Pay.acme.example")
    page.get_by_role("button", name="Submit").click()

    expect(page.locator("#request")).to_contain_text("It waits for the background work")
    page.evaluate("window.stays = true")
    request = CertificateRequest.objects.get()
    automatic_review.process(request.pk, now=timezone.now())
    expect(page.locator("#request .steps [aria-current]")).to_contain_text("In review", timeout=10_000)
    automatic_review.process(request.pk, now=timezone.now() + timedelta(minutes=1))
    expect(page.locator("#request")).to_contain_text("Signed: KM-", timeout=10_000)
    expect(page.locator("#announcer")).to_contain_text("Signed: KM-")
    assert page.evaluate("window.stays"), "the page was not loaded again"
    assert page.locator("[hx-trigger]").count() == 0, "it asks no more"
    request.refresh_from_db()
    assert request.entry is not None
    assert request.entry.renews == entry
    assert request.entry.alternative_names == ["pay.acme.example"]


def test_the_list_is_filtered_without_loading_the_page(page: Page, live_site: str, olga: User) -> None:
    draft, other = make_draft(olga), submitted(make_draft(olga, XBS))
    page.goto(live_site + url("requests"))
    page.evaluate("window.stays = true")
    page.get_by_label("State").select_option("submitted")
    expect(page.locator("#requests")).not_to_contain_text(draft.number)
    expect(page.locator("#requests")).to_contain_text(other.number)
    assert "state=submitted" in page.url
    page.get_by_label("Search").fill("no such request")
    expect(page.locator("#requests")).to_contain_text("No request is like that")
    assert page.evaluate("window.stays")
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("no such request")


def test_a_new_request_needs_no_script(browser: Browser, live_site: str, olga: User) -> None:
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, olga, live_site)
    page = context.new_page()
    make_draft(olga)  # So that the applications are there.
    page.goto(live_site + url("request_new"))
    page.get_by_label("Application").select_option(XBS)
    page.get_by_label("Environment").select_option("mtf")
    page.get_by_role("button", name="Next").click()
    subject = [("C", "GB"), ("O", "Acme Payments Ltd"), ("OU", "Cross-Border Services"), ("CN", "MTF XBS")]
    page.get_by_label("Or the text of the CSR").fill(build_request(subject, new_private_key()).decode())
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("This CSR can be submitted")).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#request")).to_contain_text("It waits for the background work")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state_and_nothing_sticks_out(
    browser: Browser, live_site: str, officers: tuple[User, User], theme: str
) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme="dark" if theme == "dark" else "light")
    sign_in(context, officers[0], live_site)
    page = context.new_page()
    for address in _addresses(*officers):
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        page.goto(live_site + address)
        _check(page, address)
    page.goto(live_site + url("renew_by_serial"))
    page.get_by_label("Expiring Certificate Serial Number").fill(make_entry(company_of(officers[0])).serial)
    page.get_by_role("button", name="Find the certificate").click()
    expect(page.get_by_text("Expiring Certificate DN")).to_be_visible()
    _check(page, "renew_by_serial, found")
    context.close()


def _check(page: Page, address: str) -> None:
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == [], address
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})


def _addresses(olga: User, piet: User) -> list[str]:
    """Pages in every state that looks different."""
    company = company_of(olga)
    subject = [("O", "W" * 64), ("L", "London"), ("CN", "x" * 64)]
    broken = make_draft(olga, csr=build_request(subject, new_private_key()))
    taken, free = make_entry(company), make_entry(company)
    his = make_renewal(piet, taken)
    good, changed = make_renewal(olga, free), make_renewal(olga, make_entry(company))
    changed.csr = csr_for_renewal(free, O="Acme Payments Ltd plc")
    changed.save()
    rejected = submitted(make_draft(olga))
    reject(rejected, reason="No " * 60, decided_by="Kay", actor=Actor("kay"), now=timezone.now())
    oldest = make_chain(company, versions=2)[0]
    return [
        url("requests"),
        url("requests") + "?q=nothing",
        url("request", submitted(make_draft(olga)).number),
        url("request", rejected.number),
        url("request", his.number),
        url("request_csr", broken.number),
        url("request_review", broken.number),
        url("request_review", good.number),
        url("request_review", changed.number),
        url("request_details", broken.number),
        url("entry_renew", taken.reference),
        url("entry_renew", oldest.reference),
    ]
