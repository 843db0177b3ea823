"""Support and the editor of DN requirements in a real browser, with everything unfolded."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from connect.models import User
from kmp.applications import create_applications
from tests.browsing import DESKTOP, PHONE
from tests.factories import make_company, make_user
from tests.kmp.factories import make_officer


def browser_of(browser: Browser, user: User, live_site: str, theme: str = "light") -> Page:
    """A page of a browser in which this person is signed in. Without the site's policy, which would stop axe."""
    client = Client()
    client.force_login(user)
    context = browser.new_context(bypass_csp=True, color_scheme="dark" if theme == "dark" else "light")
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_site}])
    return context.new_page()


def check(page: Page) -> None:
    """axe finds nothing, and nothing sticks out on a phone."""
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})


@pytest.fixture
def officer(live_site: str) -> User:
    create_applications()
    company = make_company(name="Acme Payments Ltd", cid="123456", country="IE", group_email="group@acme.example")
    make_officer(company)
    return make_officer(company, email="officer1@acme.example")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_officer_reads_tables_and_commands(browser: Browser, live_site: str, officer: User, theme: str) -> None:
    page = browser_of(browser, officer, live_site, theme)
    page.goto(f"{live_site}/kmp/support/")
    for summary in page.locator("summary").all():
        summary.click()
    first = page.locator("#transaction-api-client")
    expect(first.get_by_role("cell", name="<unique>-Client-MTF-123456")).to_be_visible()
    first.get_by_text("keytool (Java)").first.click()
    expect(first.locator("pre:visible").first).to_contain_text("keytool -genkeypair")
    check(page)


def test_staff_change_a_requirement_and_officers_read_it(browser: Browser, live_site: str, officer: User) -> None:
    page = browser_of(browser, make_user(is_staff=True, company=None), live_site)
    page.goto(f"{live_site}/kmp/requirements/")
    page.get_by_role("link", name="MTF of Cross-Border Services API-MTLS").click()
    unit = page.get_by_role("group", name="OU, Organisational unit")
    unit.get_by_label("Value").fill("Payouts <cid>")
    page.get_by_role("button", name="Save").click()
    expect(unit).to_contain_text("Choose a pattern.")
    check(page)
    unit.get_by_label("Rule").select_option("A pattern")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".alert.ok")).to_contain_text("was changed")
    reader = browser_of(browser, officer, live_site)
    reader.goto(f"{live_site}/kmp/support/")
    expect(reader.locator("#xbs-api-mtls")).to_contain_text("OU is “Payouts 123456”.")
