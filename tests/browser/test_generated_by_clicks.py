"""A new user's way by clicks alone, from the sign-in page to a server that lets them in; and the page's policy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect

from certauthority.models import Authority
from portal.demo import create_demo_data
from portal.models import Credential, CredentialMethod
from tests.browser.generating import HANG_MILLISECONDS, REPORT_BREACHES, Keystore, chain_of, saved, wait_until_ready
from tests.browser.recorder import Recorder
from tests.tls_servers import demanding_client_certificates

# In the order in which somebody sees it: account, project, environment, way, alias, password, go, and done.
MOST_CLICKS = 9


class Clicks:
    """A hand that counts."""

    def __init__(self) -> None:
        self.count = 0

    def on(self, target: Locator) -> None:
        self.count += 1
        target.click()


@pytest.fixture
def site(relay: Recorder, authorities: dict[str, Authority]) -> str:
    create_demo_data(now=timezone.now())
    return relay.address


def test_from_the_sign_in_page_to_a_server_that_lets_them_in(page: Page, site: str, tmp_path: Path) -> None:
    page.add_init_script(REPORT_BREACHES)
    clicks = Clicks()
    page.goto(site)
    clicks.on(page.get_by_role("button", name="Alice Marlow"))
    clicks.on(page.get_by_role("link", name="Checkout API", exact=True).first)
    clicks.on(page.get_by_role("link", name="Sandbox credentials").first)
    clicks.on(page.get_by_role("link", name="Add certificate").first)
    clicks.on(page.get_by_role("link", name="Generate a new private key"))
    clicks.on(page.get_by_label("Certificate alias"))
    page.keyboard.type("my-first")
    clicks.on(page.get_by_role("button", name="Suggest one"))
    password = page.get_by_label("Keystore password", exact=True).input_value()
    with page.expect_download(timeout=HANG_MILLISECONDS) as download:
        clicks.on(page.get_by_role("button", name="Create certificate"))
        wait_until_ready(page, "my-first")
    keystore = Keystore(saved(download.value, tmp_path), password)
    clicks.on(page.get_by_role("button", name="The keystore is saved"))
    expect(page.locator("#confirmed")).to_be_visible()
    assert clicks.count <= MOST_CLICKS

    credential = Credential.objects.get(alias="my-first")
    assert credential.method == CredentialMethod.GENERATED_KEY
    assert keystore.leaf == chain_of(credential)[0]
    root = x509.load_der_x509_certificate(chain_of(credential)[-1]).public_bytes(Encoding.PEM)
    with demanding_client_certificates([root], tmp_path) as server:
        command = ["curl", "--silent", "--show-error", "--cacert", str(server.ca_file), server.address]
        identity = ["--cert-type", "P12", "--cert", f"my-first.p12:{password}"]
        shown = subprocess.run([*command, *identity], cwd=tmp_path, capture_output=True, check=False)
        assert (shown.returncode, shown.stderr) == (0, b"")
        assert server.presented == [keystore.leaf]


def test_a_breach_of_the_policy_would_be_noticed(browser_context: BrowserContext, relay: Recorder) -> None:
    page = browser_context.new_page()
    page.add_init_script(REPORT_BREACHES)
    page.goto(relay.address)
    with page.expect_console_message(lambda message: message.text.startswith("Content Security Policy style-src")):
        page.evaluate("document.body.setAttribute('style', 'color: red')")
