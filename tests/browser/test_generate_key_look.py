"""Every state of `Generate a new private key`: axe in both themes and widths, and nothing that sticks out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from certauthority.models import Authority
from connect.models import User
from portal.models import Project
from tests.browser.generating import HANG_MILLISECONDS, PASSWORD, fill_in, press_create, sign_in, wait_until_ready
from tests.browsing import DESKTOP, PHONE
from tests.factories import make_company, make_project, make_user
from tests.portal.credential_pages import page_url

POSTS = "**/add/generate/"
RULES = [{"title": "Organisation", "found": "Acme", "wanted": "Acme Payments Ltd"}]
REFUSAL = {"errors": {"alias": ["This alias is taken."], "": ["One rule is broken."]}, "verdicts": RULES}


@pytest.fixture
def admin(authorities: dict[str, Authority]) -> User:
    return make_user(name="Alice Marlow", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def project(admin: User) -> Project:
    return make_project(admin=admin, name="Checkout API")


@pytest.fixture(params=["light", "dark"])
def opened(
    request: pytest.FixtureRequest, browser: Browser, live_site: str, admin: User, project: Project
) -> Iterator[Page]:
    """The page in one theme. The policy of the site would keep axe's own script out."""
    context = browser.new_context(bypass_csp=True, color_scheme=request.param)
    sign_in(context, admin, live_site)
    page = context.new_page()
    page.goto(live_site + page_url("generate_key", project))
    expect(page.get_by_role("button", name="Create certificate")).to_be_enabled()
    yield page
    context.close()


def look_at(page: Page, state: str) -> None:
    for window in (DESKTOP, PHONE):
        page.set_viewport_size({"width": window["width"], "height": window["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= window["width"], state
        violations = Axe().run(page).response["violations"]
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == [], (state, window)


def answering(page: Page, act: Callable[[Route], None]) -> None:
    page.unroute(POSTS)
    page.route(POSTS, lambda route: act(route) if route.request.method == "POST" else route.continue_())


def test_every_state_is_for_everybody(opened: Page) -> None:
    page = opened
    look_at(page, "form")
    press_create(page)
    page.get_by_label("Keystore password", exact=True).fill("weak")
    look_at(page, "wrong fields")
    page.get_by_role("button", name="Show the passwords").click()
    answering(page, lambda route: route.fulfill(status=422, json=REFUSAL))
    fill_in(page, alias="payouts")
    press_create(page)
    expect(page.locator("#broken-rules")).to_be_visible(timeout=HANG_MILLISECONDS)
    look_at(page, "refused")
    waiting: list[Route] = []
    answering(page, waiting.append)
    press_create(page)
    expect(page.locator("#step")).to_have_text("Requesting certificate", timeout=HANG_MILLISECONDS)
    look_at(page, "running")
    waiting[0].abort()
    expect(page.locator("#interrupted")).to_be_visible()
    look_at(page, "interrupted")
    page.unroute(POSTS)
    page.reload()
    look_at(page, "kept")
    page.get_by_role("button", name="Discard").click()
    look_at(page, "discarding")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_label("Keystore password of payouts").fill("wrong")
    page.get_by_role("button", name="Finish payouts").click()
    expect(page.locator("#kept .errors")).to_be_visible(timeout=HANG_MILLISECONDS)
    look_at(page, "wrong password")
    page.get_by_label("Keystore password of payouts").fill(PASSWORD)
    page.get_by_role("button", name="Finish payouts").click()
    wait_until_ready(page, "payouts")
    look_at(page, "finished")
    page.get_by_role("button", name="The keystore is saved").click()
    expect(page.locator("#confirmed")).to_be_visible()
    look_at(page, "confirmed")


def test_colours_that_are_forced_leave_everything_to_be_seen(opened: Page) -> None:
    opened.emulate_media(forced_colors="active")
    show = opened.get_by_role("button", name="Show the passwords")
    before = show.evaluate("(button) => getComputedStyle(button).outlineStyle")
    show.click()
    opened.get_by_label("Certificate alias").focus()
    assert (before, show.evaluate("(button) => getComputedStyle(button).outlineStyle")) == ("none", "solid")
