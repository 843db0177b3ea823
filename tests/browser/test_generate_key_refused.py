"""The page `Generate a new private key`, where the portal refuses or does not answer."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, Route, expect

from connect.models import User
from portal.models import Credential, Project
from tests.browser.generating import (
    ALIAS,
    HANG_MILLISECONDS,
    PASSWORD,
    fill_in,
    kept_in,
    press_create,
    sign_in,
    wait_until_ready,
)
from tests.browser.recorder import Recorder
from tests.factories import make_credential, make_user
from tests.portal.credential_pages import page_url


def answer_posts(page: Page, **answer: object) -> None:
    """Answer the page's own requests in place of the site."""

    def answered(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(**answer)  # type: ignore[arg-type]  # the tests give what fulfil takes
        else:
            route.continue_()

    page.route("**/add/generate/", answered)


def test_a_taken_alias_is_said_at_the_alias_and_the_form_goes_on(form: Page, made_in: Project) -> None:
    make_credential(made_in, alias=ALIAS)
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#alias-error")).to_be_visible(timeout=HANG_MILLISECONDS)
    expect(form.get_by_label("Certificate alias")).to_be_focused()
    assert form.get_by_label("Keystore password", exact=True).input_value() == PASSWORD
    assert kept_in(form) == []
    form.get_by_label("Certificate alias").fill("payouts-2")
    press_create(form)
    wait_until_ready(form, "payouts-2")
    assert Credential.objects.count() == 2


def test_broken_rules_are_shown_with_found_and_wanted(form: Page) -> None:
    rule = {"title": "Organisation", "found": "Acme <b>", "wanted": "Acme Payments Ltd"}
    errors = {"csr": ["One rule is broken: see the table of rules."]}
    answer_posts(form, status=422, json={"errors": errors, "verdicts": [rule]})
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#form-alert")).to_contain_text("One rule is broken")
    expect(form.locator("#form-alert")).to_be_focused()
    expect(form.locator("#broken-rules .verdict dd")).to_have_text([rule["found"], rule["wanted"]])
    expect(form.locator("#broken-rules").get_by_role("link", name="Upload a CSR")).to_be_visible()
    assert kept_in(form) == []


def test_a_ca_that_cannot_sign_now_leaves_the_key_for_later(form: Page) -> None:
    answer_posts(form, status=503, json={"errors": {"": ["The authority has no key now. Nothing was stored."]}})
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#interrupted")).to_contain_text("The authority has no key now.")
    assert kept_in(form) == [ALIAS]
    form.unroute("**/add/generate/")
    form.get_by_role("button", name="Try again").click()
    wait_until_ready(form, ALIAS)
    assert Credential.objects.count() == 1


def test_signing_in_again_in_another_tab_is_enough(
    form: Page, relay: Recorder, maker: User, browser_context: BrowserContext
) -> None:
    browser_context.clear_cookies()
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#interrupted-title")).to_have_text("You are signed out", timeout=HANG_MILLISECONDS)
    expect(form.get_by_role("link", name="Sign in in a new tab")).to_have_attribute("target", "_blank")
    form.get_by_role("button", name="Try again").click()
    expect(form.locator("#progress")).to_be_hidden(timeout=HANG_MILLISECONDS)
    expect(form.locator("#interrupted-title")).to_have_text("You are signed out")
    sign_in(browser_context, make_user(company=maker.company), relay.address)
    form.get_by_role("button", name="Try again").click()
    expect(form.locator("#interrupted-text")).to_contain_text("no longer an admin")
    expect(form.locator("#progress")).to_be_hidden(timeout=HANG_MILLISECONDS)
    sign_in(browser_context, maker, relay.address)
    form.get_by_role("button", name="Try again").click()
    wait_until_ready(form, ALIAS)
    assert Credential.objects.count() == 1


def test_an_answer_that_is_no_answer_leaves_the_outcome_open(form: Page) -> None:
    answer_posts(form, status=502, body="<h1>Bad gateway</h1>", content_type="text/html")
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#interrupted-title")).to_have_text("It is not known whether the certificate was issued")
    expect(form.locator("#interrupted-title")).to_be_focused()
    assert kept_in(form) == [ALIAS]


def test_saying_that_the_keystore_is_saved_is_repeated_where_the_portal_did_not_take_it(
    form: Page, relay: Recorder, made_in: Project
) -> None:
    fill_in(form, alias=ALIAS)
    press_create(form)
    wait_until_ready(form, ALIAS)
    form.route("**/keystore-saved/", lambda route: route.abort())
    form.get_by_role("button", name="The keystore is saved").click()
    expect(form.locator("#confirm-error")).to_contain_text("The copy is still here.")
    assert kept_in(form) == [ALIAS]
    form.unroute("**/keystore-saved/")
    form.get_by_role("button", name="The keystore is saved").click()
    expect(form.locator("#confirmed-text")).to_be_focused()
    expect(form.locator("#confirm-error")).to_be_hidden()
    expect(form.get_by_role("button", name="Download again")).to_be_hidden()
    assert kept_in(form) == []
    form.locator("#confirmed").get_by_role("link", name="Sandbox credentials").click()
    expect(form.locator("tr[aria-current]")).to_contain_text(ALIAS)
    assert form.url.startswith(relay.address + page_url("credentials", made_in))
