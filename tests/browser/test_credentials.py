"""Credentials in a real browser: the check while typing, the typed word, filters, and life without script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from certauthority.models import Authority
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from portal.models import Credential, Project
from tests.browsing import DESKTOP, PHONE
from tests.factories import make_company, make_credential, make_csr, make_project, make_user
from tests.portal.credential_pages import credential_url, page_url


@pytest.fixture
def alice(live_site: str, authorities: dict[str, Authority]) -> User:
    company = make_company(name="Acme Payments Ltd", cid="123456")
    return make_user(email="alice@acme.example", name="Alice Marlow", company=company)


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


@pytest.fixture(autouse=True)
def _signed_in(browser_context: BrowserContext, live_site: str, alice: User) -> None:
    sign_in(browser_context, alice, live_site)


def sign_in(context: BrowserContext, user: User, site: str) -> None:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site}])


def test_a_pasted_request_is_judged_before_it_is_sent(page: Page, live_site: str, project: Project) -> None:
    page.goto(live_site + page_url("paste_csr", project))
    expect(page.locator("#rules")).to_contain_text("Nothing checked yet")
    page.get_by_label("CSR").fill(build_request([("CN", "acme")], new_private_key()).decode())
    expect(page.locator("#rules .badge.bad")).to_contain_text("broken")
    expect(page.locator("#commands")).to_contain_text("The corrected command")
    page.get_by_label("Certificate alias").fill("payouts")
    expect(page.locator("#commands")).to_contain_text("-key payouts.key")
    page.get_by_label("CSR").fill(make_csr(project).decode())
    expect(page.locator("#rules .badge.bad")).to_have_count(0)
    assert not Credential.objects.exists()
    page.get_by_role("button", name="Create certificate").click()
    expect(page.get_by_role("status").first).to_contain_text("payouts was added.")
    expect(page.locator("tr[aria-current]")).to_contain_text("New")


def test_a_chosen_file_is_judged_before_it_is_sent(page: Page, live_site: str, project: Project) -> None:
    page.goto(live_site + page_url("upload_csr", project))
    content = FilePayload(name="request.csr", mimeType="application/octet-stream", buffer=make_csr(project))
    page.get_by_label("CSR file").set_input_files(content)
    expect(page.locator("#rules .badge.ok")).to_contain_text("kept")


def test_the_revoke_button_waits_for_the_exact_word(page: Page, live_site: str, project: Project) -> None:
    credential = make_credential(project, alias="payouts")
    page.goto(live_site + credential_url("credential_revoke", credential))
    button, box = page.get_by_role("button", name="Revoke", exact=True), page.get_by_label("Type REVOKE to confirm")
    expect(button).to_be_disabled()
    for word in ("revoke", "REVOKE "):
        box.fill(word)
        expect(button).to_be_disabled()
    box.fill("REVOKE")
    button.click()
    expect(page.get_by_role("status").first).to_contain_text("payouts was revoked.")


def test_a_filter_swaps_the_table_and_its_address(page: Page, live_site: str, project: Project) -> None:
    make_credential(project, alias="payouts")
    page.goto(live_site + page_url("credentials", project))
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Revoked").click()
    expect(page.locator("#credentials")).to_contain_text("Nothing has been revoked")
    assert page.url.endswith("?show=revoked")
    assert page.evaluate("window.stayed")
    page.go_back()
    expect(page.locator("#credentials")).to_contain_text("payouts")


def test_everything_works_without_script(browser: Browser, live_site: str, project: Project, alice: User) -> None:
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, alice, live_site)
    page = context.new_page()
    page.goto(live_site + page_url("paste_csr", project))
    page.get_by_label("Certificate alias").fill("payouts")
    page.get_by_label("CSR").fill(make_csr(project).decode())
    page.get_by_role("button", name="Create certificate").click()
    expect(page.locator("#messages")).to_contain_text("payouts was added.")
    page.goto(live_site + credential_url("credential_revoke", Credential.objects.get()))
    page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("payouts was revoked.")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_phones_need_no_sideways_scrolling(
    browser: Browser, live_site: str, project: Project, alice: User, theme: str
) -> None:
    old = make_credential(project, alias="payouts-2026")
    new = make_credential(project, alias="payouts-2027", predecessor=old)
    addresses = [
        page_url("credentials", project, new=new.pk),
        page_url("credentials", project, show="revoked"),
        page_url("add_certificate", project, rotate=old.pk),
        page_url("paste_csr", project, rotate=old.pk),
        page_url("upload_certificate", project),
        credential_url("credential", old),
        credential_url("credential_revoke", old),
        "/clinic/",
    ]
    # The policy of the site would keep axe's own script out.
    context = browser.new_context(bypass_csp=True, color_scheme="dark" if theme == "dark" else "light")
    sign_in(context, alice, live_site)
    page = context.new_page()
    for address in addresses:
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        page.goto(live_site + address)
        found = Axe().run(page).response["violations"]
        assert [violation["id"] for violation in found] == [], address
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
    context.close()
