"""A form that is sent after its session has ended, in a real browser: from the typing to the stored project."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from portal.models import Project
from tests.browsing import DESKTOP, PHONE
from tests.factories import PASSWORD, make_company, make_user

NAME = "Checkout refunds"


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_was_typed_is_sent_after_sign_in(browser: Browser, live_site: str, theme: str) -> None:
    user = make_user(company=make_company())
    # The policy of the site would keep axe's own script out.
    context = browser.new_context(bypass_csp=True, color_scheme="dark" if theme == "dark" else "light")
    page = context.new_page()
    window = DESKTOP if theme == "light" else PHONE
    page.set_viewport_size({"width": window["width"], "height": window["height"]})
    page.goto(f"{live_site}/projects/new/")
    sign_in(page, user.email)
    page.get_by_label("Project name").fill(NAME)
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    sign_in(page, user.email)
    expect(page.get_by_role("heading", name="Send it after all?")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(NAME)
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not Project.objects.filter(name=NAME).exists()
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    assert Project.objects.filter(name=NAME).count() == 1
    context.close()
