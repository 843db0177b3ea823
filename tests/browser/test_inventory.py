"""The inventory in a real browser: filter, order and pages by htmx, the address that keeps them, no script at all."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from certauthority.models import Authority
from connect.models import User
from kmp.models import InventoryEntry
from tests.browsing import DESKTOP, PHONE
from tests.factories import make_company
from tests.kmp.factories import XBS, make_chain, make_entry, make_many_entries, make_officer


@pytest.fixture
def olga(live_site: str, authorities: dict[str, Authority]) -> User:
    company = make_company(name="Acme Payments Ltd", cid="123456", group_email="certificates@acme.example")
    make_officer(company)
    return make_officer(company, email="olga@acme.example", name="Olga Brandt")


def context_of(
    browser: Browser, live_site: str, user: User, *, script: bool = True, **options: object
) -> BrowserContext:
    client = Client()
    client.force_login(user)
    context = browser.new_context(java_script_enabled=script, viewport=DESKTOP, **options)  # type: ignore[arg-type]  # Playwright's own types for options
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_site}])
    return context


def test_the_table_follows_filter_order_and_pages_without_a_new_page(
    browser: Browser, live_site: str, olga: User
) -> None:
    assert olga.company is not None
    make_many_entries(olga.company, 80)
    entry = make_entry(olga.company, XBS)
    page = context_of(browser, live_site, olga).new_page()
    page.goto(f"{live_site}/kmp/")
    page.evaluate("window.same = true")
    page.get_by_label("Search").press_sequentially("XBS")
    expect(page.get_by_role("row", name=re.compile(entry.reference))).to_be_visible()
    expect(page.locator("#inventory tbody tr")).to_have_count(1)
    assert page.url.endswith("/kmp/?q=XBS")
    page.get_by_label("Search").fill("")
    page.get_by_label("Status").select_option("active")
    expect(page).to_have_url(re.compile(r"/kmp/\?status=active$"))
    page.get_by_role("link", name="Common name").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Common name")
    first = page.locator("#inventory tbody tr th a").first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    # The order that was chosen in the table stays when the filter is changed.
    page.get_by_label("Environment").select_option("mtf")
    expect(page).to_have_url(re.compile(r"/kmp/\?environment=mtf&status=active&sort=common-name$"))
    assert page.evaluate("window.same"), "nothing was loaded but the table"
    page.go_back()
    expect(page).to_have_url(re.compile(r"&after=KM-"))
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    page.go_back()
    expect(page.locator("#inventory tbody tr th a").first).to_have_text(first)


def test_it_works_without_script(browser: Browser, live_site: str, olga: User) -> None:
    assert olga.company is not None
    make_many_entries(olga.company, 60)
    page = context_of(browser, live_site, olga, script=False).new_page()
    page.goto(f"{live_site}/kmp/")
    page.get_by_label("Environment").select_option("production")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#inventory tbody tr")).to_have_count(20)
    page.goto(f"{live_site}/kmp/")
    page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("#inventory tbody tr")).to_have_count(25)


def test_a_certificate_is_looked_at_downloaded_and_revoked(browser: Browser, live_site: str, olga: User) -> None:
    assert olga.company is not None
    first, _, third = make_chain(olga.company, 3)
    page = context_of(browser, live_site, olga).new_page()
    page.goto(f"{live_site}/kmp/")
    page.get_by_role("link", name=first.reference, exact=True).first.click()
    page.get_by_role("link", name=third.reference).last.click()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("link", name="Download", exact=True).click()
    page.get_by_label("Include Root Chain").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == f"{third.reference}-chain.pem"
    page.get_by_role("link", name="Back to the details").click()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("link", name="Revoke").click()
    button = page.get_by_role("button", name="Revoke")
    expect(button).to_be_disabled()
    page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    button.click()
    expect(page.get_by_text(f"{third.reference} was revoked.")).to_be_visible()
    assert InventoryEntry.objects.get(pk=third.pk).get_state_display() == "Revoked"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(browser: Browser, live_site: str, olga: User, theme: str) -> None:
    assert olga.company is not None
    make_many_entries(olga.company, 60)
    first, second = make_chain(olga.company, 2)
    kept = make_entry(renews=make_entry(olga.company, XBS))
    scheme = "dark" if theme == "dark" else "light"
    page: Page = context_of(browser, live_site, olga, bypass_csp=True, color_scheme=scheme).new_page()
    for address in (
        "/kmp/?expires_from=2026-01-01",
        "/kmp/?status=lost",
        "/kmp/?q=nothing+like+this",
        f"/kmp/certificates/{first.reference}/",
        f"/kmp/certificates/{kept.reference}/",
        f"/kmp/certificates/{first.reference}/download/",
        f"/kmp/certificates/{second.reference}/download/?include_chain=on",
        f"/kmp/certificates/{second.reference}/revoke/",
    ):
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        page.goto(live_site + address)
        violations = Axe().run(page).response["violations"]
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == [], address
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
