"""Access to KMP by clicks: found in the Store, requested, seen pending, approved by staff, opened."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from certauthority.models import Authority
from connect.demo import DEMO_PASSWORD
from portal.demo import create_demo_data


@pytest.fixture
def site(live_site: str, authorities: dict[str, Authority]) -> str:
    create_demo_data(now=timezone.now())
    return live_site


def sign_in(page: Page, site: str, email: str) -> None:
    page.context.clear_cookies()
    page.goto(site)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="My Projects")).to_be_visible()


def test_a_developer_asks_and_staff_approve(page: Page, site: str) -> None:
    sign_in(page, site, "developer@globex.example")
    page.get_by_role("link", name="Store", exact=True).first.click()
    expect(page).to_have_url(f"{site}/connect/store/")
    page.wait_for_load_state()
    page.get_by_label("Business capabilities").select_option("Administration")
    expect(page.get_by_role("heading", level=2)).to_have_text(["Key Management Portal (KMP)"])
    expect(page).to_have_url(re.compile(r"capability=administration"))
    page.reload()
    expect(page.get_by_role("heading", level=2)).to_have_text(["Key Management Portal (KMP)"])
    page.get_by_role("link", name="Request Key Management Portal (KMP)").click()
    page.get_by_label("Security Officer Level 1").check()
    page.get_by_role("button", name="Request access").click()
    expect(page.get_by_role("heading", name="Access requested")).to_be_visible()
    page.get_by_role("link", name="Track status").click()
    expect(page.locator("#item-kmp")).to_contain_text("Access pending")

    sign_in(page, site, "keymanagement@rehearsal.example")
    page.get_by_role("link", name="Inbox").first.click()
    page.get_by_role("link", name="Decide on the request of Charlie Okafor").click()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("Give a reason: the other side reads it.")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("You have approved the request of Charlie Okafor.")).to_be_visible()

    sign_in(page, site, "developer@globex.example")
    page.get_by_role("link", name="My Items").first.click()
    page.locator("#item-kmp").get_by_role("link", name="Open").click()
    expect(page.get_by_role("heading", name="Certificates Inventory")).to_be_visible()


def test_the_store_answers_while_one_types(page: Page, site: str) -> None:
    sign_in(page, site, "developer@globex.example")
    page.goto(f"{site}/connect/store/")
    page.get_by_label("Search").press_sequentially("signing request")
    expect(page.get_by_role("heading", level=2)).to_have_text(["CSR clinic"])
    expect(page).to_have_url(re.compile(r"q=signing\+request|q=signing%20request"))
    page.get_by_label("Search").fill("nothing at all")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_role("heading", level=2)).to_have_count(4)
