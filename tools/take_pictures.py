"""Take the pictures in docs/images from the real site: `make pictures`.

Starts the site on a free port with a state directory of its own, walks through the main pages in Chromium, and ends it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from certauthority.x509.requests import build_request, new_private_key
from connect.demo import DEMO_PASSWORD

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
REFUSED_SUBJECT = [("C", "GB"), ("O", "Acme Payments"), ("OU", "Checkout API"), ("CN", "checkout.acme.example/mtls")]


@contextmanager
def running_site() -> Iterator[str]:
    """The address of a fresh demo site; it ends with the block."""
    with tempfile.TemporaryDirectory() as state:
        ports = dict(zip(("PORT", "GATEWAY_PORT", "GATEWAY_PROD_PORT"), map(str, _free_ports(3)), strict=True))
        environment = {**os.environ, "STATE_DIR": state, **ports}
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            yield _address(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if line.startswith("Ready: "):
            return line.removeprefix("Ready: ").strip()
    raise RuntimeError("The site did not start.")


def take_all(browser: Browser, address: str) -> None:
    """Every picture, named after its page."""
    page = _signed_in(browser, address, "light")
    for name, link in (
        ("my-projects", None),
        ("project-summary", "Checkout API"),
        ("credentials", "Sandbox credentials"),
    ):
        if link:
            page.get_by_role("link", name=link, exact=True).first.click()
        _take(page, name)
    sandbox = page.url
    _take_refusal(page, sandbox)
    _take_generated(page, sandbox)
    page.goto(sandbox)
    page.get_by_role("link", name="checkout-mtf", exact=True).click()
    _take(page, "certificate-details")
    page.goto(page.url + "revoke/")
    _take(page, "revoke-certificate")
    for name, scheme, size in (("credentials-dark", "dark", WIDE), ("credentials-phone", "light", NARROW)):
        other = _signed_in(browser, address, scheme, size)
        other.goto(sandbox)
        _take(other, name)

    _take_kmp(browser, address)
    _take_clock(page, address)


def _take_kmp(browser: Browser, address: str) -> None:
    page = _signed_in(browser, address, "light", email="officer1@acme.example")
    page.goto(f"{address}/kmp/?status=expiring_soon")
    expiring = page.locator("tbody th a").first.inner_text()
    page.goto(f"{address}/kmp/")
    _take(page, "kmp-inventory")
    page.goto(f"{address}/kmp/certificates/{expiring}/renew/")
    name = page.locator("dt:has-text('Expiring Certificate DN') + dd .mono").inner_text()
    subject = [(label, value) for label, _, value in (part.partition("=") for part in reversed(name.split(",")))]
    wrong = [(label, f"{value} plc" if label == "O" else value) for label, value in subject]
    csr = build_request(wrong, new_private_key())
    page.get_by_label("CSR file").set_input_files(
        {"name": "renewal.csr", "mimeType": "application/octet-stream", "buffer": csr}
    )
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="Attribute by attribute").wait_for()
    _take(page, "renewal-review")


def _take_clock(page: Page, address: str) -> None:
    """Last of all: from here on the company's clock is ahead."""
    page.goto(f"{address}/connect/clock/")
    expired = page.locator("#caused").get_by_text("Certificates expired").locator("xpath=..")
    for _ in range(20):
        page.get_by_role("button", name="To the next event").click()
        page.wait_for_load_state("load")
        if "1" in expired.inner_text():
            break
    _take(page, "clock")


def _signed_in(
    browser: Browser, address: str, scheme: str, size: dict[str, int] = WIDE, email: str = "admin@acme.example"
) -> Page:
    context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]  # its own literals
    page = context.new_page()
    page.goto(address)
    if scheme == "light" and size == WIDE and email.startswith("admin"):
        _take(page, "sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/projects/")
    return page


def _take_refusal(page: Page, sandbox: str) -> None:
    page.goto(sandbox + "add/paste-csr/")
    page.get_by_label("Certificate alias").fill("checkout-mtf-2027")
    page.get_by_label("CSR", exact=True).fill(build_request(REFUSED_SUBJECT, new_private_key()).decode())
    page.get_by_role("button", name="Create certificate").click()
    page.get_by_text("The corrected command").wait_for()
    _take(page, "refused-csr")


def _take_generated(page: Page, sandbox: str) -> None:
    page.goto(sandbox + "add/generate/")
    page.get_by_label("Certificate alias").fill("checkout-mtf-2028")
    page.get_by_role("button", name="Suggest one").click()
    page.get_by_role("button", name="Create certificate").click()
    page.get_by_text("checkout-mtf-2028 is ready").wait_for()
    _take(page, "generate-key")


def _take(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with running_site() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if Path(CHROMIUM).exists() else None,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        take_all(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
