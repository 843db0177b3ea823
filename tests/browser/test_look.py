"""The look in a real browser: axe in both themes and widths, the keyboard, and life without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template import Context, Template
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from certauthority.x509.verdicts import Verdict
from connect.models import User
from tests.browsing import DESKTOP, PHONE
from tests.factories import PASSWORD, make_user

LOGIN = "/accounts/login/"
BENCH = "/bench/"
COMMAND = 'openssl req -new \\\n  -subj "/CN=<1799020800>-Client-MTF-245901"'
PARTS = """
{% extends "base.html" %}{% load static %}
{% block title %}Parts{% endblock %}
{% block heading %}Parts{% endblock %}
{% block breadcrumbs %}{% breadcrumbs "My Projects" "/projects/" "Parts" %}{% endblock %}
{% block head %}
<script src="{% static "js/typed.js" %}" type="module"></script>
<script src="{% static "js/dropfile.js" %}" type="module"></script>
{% endblock %}
{% block content %}
<form class="card stack" method="post">
  <div class="field"><label for="csr">CSR file</label>
    <div class="drop" data-drop="csr"><input type="file" id="csr"></div></div>
  <p>Chosen: <output data-file-name="csr"></output></p>
</form>
<form class="danger-zone stack" method="post">
  <h2>This cannot be undone</h2>
  <p class="field"><label for="word">Type <kbd>REVOKE</kbd> to confirm</label>
    <input class="typed" id="word" name="word"></p>
  <div><button class="btn danger" data-word="REVOKE" data-typed="word">Revoke</button></div>
</form>
<section class="card stack"><h2>Commands</h2>{% include "_code_tabs.html" %}</section>
<p>{% badge "active" %} {% badge "expiring_soon" %} {% badge "expired" %}
{% badge "revoked" %} {% badge "read-only" %}</p>
{% include "_verdicts.html" %}
{% include "_empty.html" with title="Nothing yet" text="Begin." action_url="/" action="Begin" icon="certificate" %}
{% include "_alert.html" with title="Note this." text="And that." meaning="warn" icon="alert" %}
<p><button class="btn" id="check" hx-get="/bench/check/" hx-target="#rules" hx-swap="outerHTML">Check</button></p>
{% endblock %}
"""


def parts() -> str:
    tabs = [
        {"label": "openssl", "text": COMMAND, "mark": "<1799020800>"},
        {"label": "keytool", "text": "keytool -certreq", "mark": ""},
    ]
    verdicts = [
        Verdict("cn", "Common name", ok=False, found="a\u202eb", wanted="1799020800-Client-MTF-245901"),
        Verdict("key", "Key", ok=True, found="RSA 2048"),
        Verdict("ext", "Extensions are not copied", ok=True, kind="note"),
    ]
    return Template(PARTS.strip()).render(Context({"tabs": tabs, "verdicts": verdicts}))


@pytest.fixture
def serve(live_site: str, browser_context: BrowserContext) -> Callable[..., None]:
    """Answer an address of the site with this text, under the site's own content security policy."""
    policy = browser_context.request.get(live_site + LOGIN).headers["content-security-policy"]

    def answer(path: str, body: str, status: int = 200, content_type: str = "text/html; charset=utf-8") -> None:
        headers = {"Content-Security-Policy": policy, "Content-Type": content_type}

        def fulfil(route: Route) -> None:
            route.fulfill(status=status, body=body, headers=headers)

        browser_context.route(live_site + path, fulfil)

    return answer


@pytest.fixture
def parts_page(live_site: str, page: Page, serve: Callable[..., None]) -> Page:
    """A page that holds every shared part."""
    serve(BENCH, parts())
    page.goto(live_site + BENCH)
    return page


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


def test_a_copy_button_copies_exactly_and_says_so(parts_page: Page) -> None:
    parts_page.get_by_role("button", name="Copy openssl command").click()
    expect(parts_page.locator("#announcer")).to_have_text("Copied openssl command.")
    assert parts_page.evaluate("navigator.clipboard.readText()") == COMMAND


def test_a_copy_that_the_browser_refuses_is_said(parts_page: Page) -> None:
    parts_page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    parts_page.get_by_role("button", name="Copy openssl command").click()
    expect(parts_page.locator("#announcer")).to_contain_text("did not allow copying")
    expect(parts_page.locator("#announcer")).to_be_in_viewport()


def test_the_button_wakes_up_for_the_exact_word_only(parts_page: Page) -> None:
    button, field = parts_page.get_by_role("button", name="Revoke"), parts_page.locator("#word")
    expect(button).to_be_disabled()
    # The last one has a Cyrillic letter.
    for wrong in ("revoke", "REVOKE ", " REVOKE", "REVOK", "RЕVOKE"):
        field.fill(wrong)
        expect(button).to_be_disabled()
    field.fill("REVOKE")
    expect(button).to_be_enabled()
    field.press_sequentially("D")
    expect(button).to_be_disabled()


DROP = """([selector, names]) => {
  const files = new DataTransfer();
  for (const name of names) files.items.add(new File(["content of " + name], name));
  const place = document.querySelector(selector);
  for (const kind of ["dragenter", "dragover", "drop"]) {
    place.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
  }
}"""


def test_a_dropped_file_lands_in_the_field_and_is_named(parts_page: Page) -> None:
    parts_page.evaluate("document.querySelector('#csr').addEventListener('change', () => { window.changed = true; })")
    parts_page.evaluate(DROP, [".drop", ["<b>my</b>.csr", "second.csr"]])
    names = "[...document.querySelector('#csr').files].map((file) => file.name)"
    assert parts_page.evaluate(names) == ["<b>my</b>.csr"]
    assert parts_page.evaluate("window.changed") is True
    expect(parts_page.locator("[data-file-name=csr]")).to_have_text("<b>my</b>.csr")
    expect(parts_page.locator(".drop")).not_to_have_class("drop dropping")


def test_a_file_dropped_beside_the_box_does_not_replace_the_page(parts_page: Page) -> None:
    parts_page.evaluate(
        "addEventListener('drop', (event) => { window.kept = event.defaultPrevented; }, { capture: false })"
    )
    parts_page.evaluate(DROP, ["h1", ["my.csr"]])
    assert parts_page.evaluate("window.kept") is True
    assert parts_page.evaluate("document.querySelector('#csr').files.length") == 0


def test_what_htmx_brings_is_announced(parts_page: Page, serve: Callable[..., None]) -> None:
    fragment = Template('{% include "_verdicts.html" %}').render(
        Context({"verdicts": [Verdict("cn", "Common name", ok=False, found="x"), Verdict("key", "Key", ok=True)]})
    )
    serve("/bench/check/", fragment)
    parts_page.get_by_role("button", name="Check").click()
    expect(parts_page.locator("#announcer")).to_have_text("1 broken 1 kept")
    expect(parts_page.locator("#rules .verdict dd").first).to_have_text("x")


def test_an_answer_that_fails_is_said_instead_of_swallowed(parts_page: Page, serve: Callable[..., None]) -> None:
    serve("/bench/check/", "<h1>oops</h1>", 500)
    parts_page.get_by_role("button", name="Check").click()
    alert = parts_page.locator("#messages").get_by_role("alert")
    expect(alert).to_contain_text("That did not work.")
    expect(alert).to_contain_text("The server answered 500. Nothing was stored.")
    expect(parts_page.locator("#rules")).to_contain_text("Common name")


def test_only_what_a_hand_does_counts_as_done(parts_page: Page, serve: Callable[..., None]) -> None:
    """A page that asks for news by itself says so, so that it does not keep a session open."""
    serve("/bench/check/", "checked")
    serve("/bench/news/", "news")
    with parts_page.expect_request("**/bench/check/") as by_hand:
        parts_page.get_by_role("button", name="Check").click()
    assert "x-by-itself" not in by_hand.value.headers
    for trigger in ("every 100ms", "calls-changed from:body"):
        with parts_page.expect_request("**/bench/news/") as by_itself:
            parts_page.evaluate(
                """(trigger) => {
                    const part = document.createElement("div");
                    part.setAttribute("hx-get", "/bench/news/");
                    part.setAttribute("hx-trigger", trigger);
                    document.querySelector("#main").replaceChildren(part);
                    htmx.process(part);
                    htmx.trigger(document.body, "calls-changed");
                }""",
                trigger,
            )
        assert by_itself.value.headers["x-by-itself"] == "1"


def test_a_service_that_is_away_is_named(parts_page: Page, serve: Callable[..., None]) -> None:
    serve("/bench/check/", "The site’s database does not answer.", 503, "text/plain; charset=utf-8")
    parts_page.get_by_role("button", name="Check").click()
    alert = parts_page.locator("#messages").get_by_role("alert")
    expect(alert).to_contain_text("That did not work.")
    expect(alert).to_contain_text("The site’s database does not answer. Try again")
    expect(alert).not_to_contain_text("503")
    expect(parts_page.locator("#rules")).to_contain_text("Common name")


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
