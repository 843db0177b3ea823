"""Second factors in a real Chromium: passkeys by its virtual authenticator, an app, recovery codes, sessions, axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from audit.models import AuditEvent
from connect import second_factors
from connect.models import User
from tests.browsing import DESKTOP, PHONE
from tests.connect.second_factor_steps import app_code, confirm, give_app
from tests.factories import PASSWORD, make_user

EMAIL = "alice@acme.example"


class VirtualKey:
    """Chromium's own authenticator, as its developer tools offer it; it touches itself."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasUserVerification": True,
            "isUserVerified": True,
            "hasResidentKey": True,
        }
        answer = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = answer["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        answer = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(answer["credentials"])

    def forget(self) -> None:
        self.session.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})


@pytest.fixture
def user(live_site: str) -> User:
    return make_user(email=EMAIL, name="Alice Marlow")


@pytest.fixture
def key(page: Page) -> VirtualKey:
    return VirtualKey(page)


def sign_in(page: Page, live_site: str) -> None:
    page.goto(f"{live_site}/accounts/login/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()


def open_security(page: Page) -> None:
    page.get_by_role("button", name="account").click()
    page.get_by_role("link", name="Sign-in and security").click()


def confirm_by_password(page: Page) -> None:
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm by password").click()


def add_passkey(page: Page, live_site: str) -> None:
    sign_in(page, live_site)
    open_security(page)
    page.get_by_role("link", name="Add a passkey").click()
    confirm_by_password(page)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("button", name="I have kept them").click()


def test_a_passkey_is_added_and_signs_in(page: Page, live_site: str, user: User, key: VirtualKey) -> None:
    add_passkey(page, live_site)
    expect(page.get_by_role("link", name="Rename Laptop")).to_be_visible()
    [credential] = key.credentials()
    assert credential["rpId"] == "localhost"
    sign_out(page)
    sign_in(page, live_site)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="My Projects")).to_be_visible()
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "account.signed_in",
        "account.two_factor_added",
        "account.recovery_codes_made",
        "account.signed_out",
        "account.signed_in",
    ]


def test_a_passkey_confirms_a_change_and_another_device_is_added(
    page: Page, live_site: str, user: User, key: VirtualKey
) -> None:
    add_passkey(page, live_site)
    sign_out(page)
    sign_in(page, live_site)
    page.get_by_role("button", name="Use a passkey").click()
    open_security(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Confirm by passkey").click()
    expect(page.get_by_role("heading", name="Add a passkey")).to_be_visible()
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This device or key holds a passkey of your account already.")
    assert len(second_factors.factors_of(user).passkeys) == 1


def test_a_passkey_that_does_not_answer_is_explained_and_can_be_tried_again(
    page: Page, live_site: str, user: User, key: VirtualKey
) -> None:
    add_passkey(page, live_site)
    sign_out(page)
    sign_in(page, live_site)
    kept = key.credentials()[0]
    key.forget()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Try again.")
    kept.pop("isResidentCredential", None)
    key.session.send(
        "WebAuthn.addCredential",
        {"authenticatorId": key.id, "credential": {**kept, "isResidentCredential": False}},
    )
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="My Projects")).to_be_visible()


def test_on_another_name_of_the_site_passkeys_say_why_they_do_not_work(
    page: Page, live_site: str, user: User, key: VirtualKey, settings: Any
) -> None:
    elsewhere = live_site.replace("localhost", "127.0.0.1")
    settings.CSRF_TRUSTED_ORIGINS = [elsewhere]
    sign_in(page, elsewhere)
    open_security(page)
    page.get_by_role("link", name="Add a passkey").click()
    confirm_by_password(page)
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Passkeys belong to the usual address of this site.")


def test_an_app_is_set_up_by_what_the_page_shows(page: Page, live_site: str, user: User) -> None:
    sign_in(page, live_site)
    page.goto(f"{live_site}/accounts/security/app/")
    confirm_by_password(page)
    box = page.get_by_role("img", name="QR code for the app").bounding_box()
    assert box is not None
    assert box["width"] == box["height"] > 200
    secret = page.locator("#totp-key pre").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows").fill(app_code(secret))
    page.get_by_role("button", name="Set up").click()
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    text = Path(download.value.path()).read_text()
    assert [code for code in codes if code in text] == codes
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.get_by_role("button", name="I have kept them").click()
    sign_out(page)
    sign_in(page, live_site)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="My Projects")).to_be_visible()


def test_without_script_an_app_and_its_codes_do_everything(browser: Browser, live_site: str, user: User) -> None:
    give_app(user)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_site)
    page.get_by_label("Code").fill(app_code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(f"{live_site}/accounts/security/passkey/")
    confirm_by_password(page)
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_text("The passkey was not used.")).to_be_hidden()
    page.goto(f"{live_site}/accounts/security/recovery-codes/")
    page.get_by_role("button", name="Make new codes").click()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    assert len(page.locator(".codes li").all()) == 10
    context.close()


def test_signing_out_elsewhere_ends_the_other_browser(page: Page, browser: Browser, live_site: str, user: User) -> None:
    other = browser.new_context()
    elsewhere = other.new_page()
    for tab in (page, elsewhere):
        sign_in(tab, live_site)
        expect(tab.get_by_role("heading", name="My Projects")).to_be_visible()
    open_security(page)
    expect(page.get_by_text("You are signed in here and in 1 other place.")).to_be_visible()
    page.get_by_role("link", name="Show sessions").click()
    expect(page.get_by_text("Chrome on Linux")).to_have_count(2)
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_role("status").first).to_contain_text("1 other session has ended.")
    elsewhere.reload()
    expect(elsewhere.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    other.close()


@pytest.fixture(params=["light", "dark"])
def axe_context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser in which axe's own script may run."""
    context = browser.new_context(bypass_csp=True, color_scheme=request.param)
    yield context
    context.close()


def look_at(page: Page, where: str) -> None:
    """Axe finds nothing, and on a phone nothing sticks out."""
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == [], where
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], where


def test_axe_finds_nothing_on_the_pages_behind_a_confirmation(
    axe_context: BrowserContext, live_site: str, user: User, settings: Any
) -> None:
    settings.TWO_FACTOR_REQUIRED = True
    User.objects.filter(pk=user.pk).update(is_security_administrator=True)
    client = Client()
    client.force_login(user)
    confirm(client)
    name = settings.SESSION_COOKIE_NAME
    axe_context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_site}])
    page = axe_context.new_page()
    VirtualKey(page)
    page.goto(f"{live_site}/projects/")
    expect(page.get_by_text("Set up a second factor to go on.")).to_be_visible()
    look_at(page, "the page that leads to the set-up")
    page.goto(f"{live_site}/accounts/security/app/")
    look_at(page, "set up an app")
    page.goto(f"{live_site}/accounts/security/passkey/")
    look_at(page, "add a passkey")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    look_at(page, "recovery codes")
    page.get_by_role("button", name="I have kept them").click()
    look_at(page, "sign-in and security")
    passkey = second_factors.factors_of(user).passkeys[0].id
    for path in ("recovery-codes/", f"passkey/{passkey}/", f"remove/{passkey}/"):
        page.goto(f"{live_site}/accounts/security/{path}")
        look_at(page, path)
    give_app(user)
    page.goto(f"{live_site}/accounts/security/remove/{passkey}/")
    look_at(page, "remove one of two")
    axe_context.clear_cookies()
    sign_in(page, live_site)
    look_at(page, "the second step")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    look_at(page, "the second step, refused")
