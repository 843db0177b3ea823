"""The shared parts of pages in a real browser: copying, the typed word, dropped files, and what htmx brings."""

from __future__ import annotations

from collections.abc import Callable

from django.template import Context, Template
from playwright.sync_api import Page, expect

from certauthority.x509.verdicts import Verdict
from tests.browser.parts import COMMAND


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
