"""Where no key can be made: the form stays closed, and the page says why and what to do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from pytest_django import Settings

from connect.models import User
from portal.models import Project
from tests.browser.generating import HANG_MILLISECONDS, fill_in, press_create, sign_in
from tests.browser.recorder import Recorder
from tests.portal.credential_pages import page_url

SCRIPT = "**/js/generate-key*.js"
NO_WEBCRYPTO = "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })"
NO_STORAGE = "IDBFactory.prototype.open = () => { throw new DOMException('refused', 'SecurityError'); }"
SILENT_STORAGE = "IDBFactory.prototype.open = () => ({})"
UNREADABLE_STORAGE = "IDBObjectStore.prototype.getAll = () => { throw new DOMException('lost', 'UnknownError'); }"
KEEPS_NO_MORE = """() => {
  IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""


@pytest.fixture
def address(relay: Recorder, made_in: Project) -> str:
    return relay.address + page_url("generate_key", made_in)


def expect_closed(page: Page, sentence: str) -> None:
    """The form takes nothing; the sentence is there, and with it the other way."""
    alert = page.locator(".alert.bad:visible")
    expect(alert).to_contain_text(sentence, timeout=HANG_MILLISECONDS)
    expect(alert.get_by_role("link", name="upload a CSR")).to_be_visible()
    for control in page.locator("#generate-form").locator("input:visible, select, button:visible").all():
        expect(control).to_be_disabled()


def test_without_script_the_form_is_closed(browser: Browser, relay: Recorder, address: str, maker: User) -> None:
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, maker, relay.address)
    page = context.new_page()
    page.goto(address)
    expect_closed(page, "Switch JavaScript on for this site, and open it over https:// or on localhost")
    expect(page.locator("#common-name")).to_have_text("<milliseconds>-Client-MTF-123456")
    context.close()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_script_that_does_not_start_is_told_after_a_while(
    page: Page, address: str, motion: str, browser_context: BrowserContext
) -> None:
    browser_context.route(SCRIPT, lambda route: route.abort())
    page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    page.goto(address)
    expect(page.locator("#not-started")).to_be_hidden()
    expect_closed(page, "The script of this page did not start.")


def test_an_address_that_is_not_secure_is_told_with_the_one_that_is(
    page: Page, relay: Recorder, address: str, settings: Settings
) -> None:
    insecure = "http://rehearsal.test"

    def from_the_site(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace(insecure, relay.address)))

    page.route(f"{insecure}/**", from_the_site)
    page.goto(address)
    cookies = page.context.cookies()
    page.context.add_cookies([{"name": one["name"], "value": one["value"], "url": insecure} for one in cookies])
    page.goto(address.replace(relay.address, insecure))
    expect_closed(
        page, "It was opened over http://rehearsal.test; browsers make keys only over https:// or on localhost."
    )
    secure = page.get_by_role("link", name=settings.SITE_URL)
    expect(secure).to_have_attribute("href", address.replace(relay.address, settings.SITE_URL))


@pytest.mark.parametrize(
    ("lack", "sentence"),
    [
        (NO_WEBCRYPTO, "It has no WebCrypto"),
        (NO_STORAGE, "Allow this site to store data"),
        (SILENT_STORAGE, "Allow this site to store data"),
        (UNREADABLE_STORAGE, "Allow this site to store data"),
    ],
    ids=["no WebCrypto", "no storage", "storage that never answers", "storage that cannot be read"],
)
def test_a_browser_that_lacks_something_is_told_what(page: Page, address: str, lack: str, sentence: str) -> None:
    page.add_init_script(lack)
    page.goto(address)
    expect_closed(page, sentence)


def test_nothing_is_sent_where_the_encrypted_key_is_not_kept(form: Page, relay: Recorder) -> None:
    fill_in(form, alias="payouts")
    form.evaluate(KEEPS_NO_MORE)
    press_create(form)
    expect(form.locator("#form-alert")).to_contain_text("nothing was sent", timeout=HANG_MILLISECONDS)
    expect(form.get_by_role("button", name="Create certificate")).to_be_enabled()
    assert [sent for sent in relay.requests if sent.method == "POST"] == []


def test_where_everything_is_there_the_form_is_open_and_nothing_is_told(form: Page) -> None:
    expect(form.get_by_role("button", name="Create certificate")).to_be_enabled()
    expect(form.locator(".alert:visible")).to_have_count(0)
    expect(form.locator("#not-started")).to_have_count(0)
    expect(form.get_by_label("Key type").locator("option")).to_have_text(
        ["RSA 2048", "RSA 3072", "RSA 4096", "EC P-256", "EC P-384"]
    )
    expect(form.get_by_label("Key type")).to_have_value("rsa-2048")
    scripts = form.locator("script[src]").evaluate_all("(all) => all.map((one) => one.src.replace(/.*js.|[.].*/g, ''))")
    assert scripts == ["theme", "copy", "generate-key"]
