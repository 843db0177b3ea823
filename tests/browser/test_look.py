"""The look in a real browser: axe in both themes and widths, the keyboard, the menu, and life without script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from connect.models import User
from tests.browser.parts import BENCH, LOGIN, parts
from tests.browsing import DESKTOP, PHONE
from tests.factories import PASSWORD, make_user


def sign_in(page: Page, live_site: str, user: User) -> None:
    page.goto(f"{live_site}{LOGIN}?next=/accounts/password/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Change password")).to_be_visible()


def serious_findings(page: Page) -> list[tuple[str, str]]:
    violations = Axe().run(page).response["violations"]
    return [(found["id"], found["nodes"][0]["html"]) for found in violations if found["impact"] != "minor"]


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_sticks_out(
    parts_page: Page, live_site: str, theme: str, window: dict[str, int]
) -> None:
    page = parts_page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": window["width"], "height": window["height"]})
    assert serious_findings(page) == []
    assert not is_wider_than_the_window(page)
    sign_in(page, live_site, make_user())
    for path in ("/accounts/password/", "/accounts/logout/", "/nowhere/"):
        page.goto(live_site + path)
        assert serious_findings(page) == [], path
        assert not is_wider_than_the_window(page), path
    page.get_by_role("button", name="account").click()
    assert serious_findings(page) == []
    page.context.clear_cookies()
    page.goto(live_site + LOGIN)
    assert serious_findings(page) == []
    assert not is_wider_than_the_window(page)


def test_the_theme_is_chosen_in_the_menu_and_remembered(page: Page, live_site: str) -> None:
    sign_in(page, live_site, make_user())
    page.emulate_media(color_scheme="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    by_day = page.evaluate(colour)
    page.get_by_role("button", name="account").click()
    page.get_by_text("Dark", exact=True).click()
    assert page.evaluate(colour) != by_day
    page.reload()
    assert page.evaluate(colour) != by_day
    page.get_by_role("button", name="account").click()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.get_by_text("System", exact=True).click()
    assert page.evaluate(colour) == by_day


def test_the_first_tab_stop_leads_to_the_content(page: Page, live_site: str) -> None:
    page.goto(live_site + LOGIN)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_focus_is_seen_in_forced_colours(page: Page, live_site: str) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(live_site + LOGIN)
    for _ in ("skip link", "address", "password", "button"):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement);"
            " return [document.activeElement.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]; })()"
        )
        assert focused[1] != "none", focused
        assert focused[2] >= 2, focused


def test_everything_works_without_script(browser: Browser, live_site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    user = make_user()
    sign_in(page, live_site, user)
    page.get_by_role("button", name="account").click()
    expect(page.get_by_text(user.email)).to_be_visible()
    expect(page.get_by_text("Dark", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.route(live_site + BENCH, lambda route: route.fulfill(body=parts(), content_type="text/html"))
    page.goto(live_site + BENCH)
    expect(page.get_by_role("button", name="Revoke")).to_be_enabled()
    expect(page.get_by_role("button", name="Copy openssl command")).to_be_hidden()
    page.get_by_text("keytool", exact=True).locator("visible=true").click()
    expect(page.get_by_text("keytool -certreq")).to_be_visible()
    expect(page.get_by_text("openssl req -new")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_menu_opens_inside_the_window(page: Page, live_site: str, window: dict[str, int]) -> None:
    page.set_viewport_size({"width": window["width"], "height": window["height"]})
    sign_in(page, live_site, make_user())
    page.get_by_role("button", name="account").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport()
    box = page.locator("#account").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= window["width"]
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
