"""A new user's first hour: the shown command, the certificate, the duplicate, the revocation, trusted CAs.

Everything by clicks in a real browser, checked by independent readers: openssl and pkilint's own commands.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from certauthority.models import Authority, Certificate
from connect.demo import DEMO_PASSWORD
from portal.demo import create_demo_data

PURPOSE = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"


@pytest.fixture
def site(live_site: str, authorities: dict[str, Authority]) -> str:
    create_demo_data(now=timezone.now())
    return live_site


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def fetch(address: str, path: Path) -> None:
    with urllib.request.urlopen(address) as answer:
        path.write_bytes(answer.read())


def sign_in(page: Page, site: str, email: str) -> None:
    page.goto(site)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="My Projects")).to_be_visible()


def open_option(page: Page, option: str) -> None:
    page.get_by_role("link", name="Sandbox credentials").first.click()
    page.get_by_role("link", name="Add certificate").first.click()
    page.get_by_role("link", name=option).click()


def make_request_as_shown(page: Page, folder: Path) -> Path:
    command = page.locator("#commands pre:visible").first.inner_text()
    assert command.startswith("openssl req -new -newkey rsa:2048")
    done = shell(command, folder)
    assert done.returncode == 0, done.stderr
    (request,) = folder.glob("*.csr")
    return request


def lint(folder: Path, command: str, *arguments: str) -> int:
    """pkilint's own command; its exit status is the number of findings."""
    program = Path(sys.executable).parent / command
    return subprocess.run([program, "lint", "-s", "WARNING", *arguments], cwd=folder, check=False).returncode


@pytest.mark.postgresql
def test_from_the_shown_command_to_revoked(
    page: Page, site: str, celery_worker_process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    sign_in(page, site, "admin@acme.example")
    page.get_by_role("link", name="Checkout API", exact=True).first.click()
    open_option(page, "Upload a CSR")
    page.get_by_label("Certificate alias").fill("first")
    request = make_request_as_shown(page, tmp_path)
    page.get_by_label("CSR file").set_input_files(request)
    page.get_by_role("button", name="Create certificate").click()
    expect(page.get_by_role("status").first).to_contain_text("first was added.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PEM").click()
    download.value.save_as(tmp_path / "first.pem")

    fetch(f"{site}/ca/developers.pem", tmp_path / "developers.pem")
    assert openssl(tmp_path, "verify", "-CAfile", "developers.pem", "first.pem") == "first.pem: OK\n"
    assert lint(tmp_path, "lint_pkix_cert", "first.pem") == 0

    open_option(page, "Upload a CSR")
    page.get_by_label("Certificate alias").fill("second")
    page.get_by_label("CSR file").set_input_files(request)
    page.get_by_role("button", name="Create certificate").click()
    expect(page.locator("[data-rule='dn.duplicate']")).to_contain_text("duplicate certificate")

    page.get_by_role("link", name="Sandbox credentials").first.click()
    page.get_by_role("button", name="Manage first").click()
    page.get_by_role("link", name="Revoke certificate").locator("visible=true").click()
    page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("first was revoked.")

    wait_for_crl()
    for name in ("developers", "root"):
        fetch(f"{site}/ca/{name}.crl", tmp_path / f"{name}.crl")
        openssl(tmp_path, "crl", "-inform", "DER", "-in", f"{name}.crl", "-out", f"{name}.crl.pem")
        kind = "ARL" if name == "root" else "CRL"
        assert lint(tmp_path, "lint_crl", "-t", kind, "-p", "PKIX", f"{name}.crl") == 0
    everything = "".join(
        (tmp_path / name).read_text() for name in ("developers.pem", "developers.crl.pem", "root.crl.pem")
    )
    (tmp_path / "with-crls.pem").write_text(everything)
    said = openssl(tmp_path, "verify", "-crl_check_all", "-CAfile", "with-crls.pem", "first.pem")
    assert "certificate revoked" in said


def wait_for_crl() -> None:
    last_moment = time.monotonic() + 60
    while Certificate.objects.filter(revoked_at__isnull=False, on_crl_at=None).exists():
        assert time.monotonic() < last_moment, "the worker did not publish the CRL"
        time.sleep(0.1)


def make_ca(folder: Path, name: str) -> None:
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl(folder, "req", "-x509", *key, "-days", "900", "-subj", f"/O=Elsewhere/CN={name}")


def issue_elsewhere(folder: Path, ca: str, name: str) -> Path:
    (folder / "extensions").write_text(PURPOSE)
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "req", *key, "-subj", f"/O=Acme Payments Ltd/CN={name}")
    signed = ("-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "300", "-extfile", "extensions")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
    return folder / f"{name}.pem"


def test_a_ca_that_staff_trust_is_accepted_and_another_is_not(
    page: Page, browser_context: BrowserContext, site: str, tmp_path: Path
) -> None:
    make_ca(tmp_path, "Trusted CA")
    make_ca(tmp_path, "Unknown CA")
    sign_in(page, site, "keymanagement@rehearsal.example")
    page.goto(f"{site}/trusted-cas/add/")
    page.locator("input[type=file]").set_input_files(tmp_path / "Trusted CA.pem")
    page.locator("main form button").last.click()
    expect(page.get_by_role("main")).to_contain_text("Trusted CA")

    browser_context.clear_cookies()
    sign_in(page, site, "admin@acme.example")
    page.get_by_role("link", name="Checkout API", exact=True).first.click()
    for ca, alias in (("Unknown CA", "from-unknown"), ("Trusted CA", "from-trusted")):
        open_option(page, "Upload mTLS certificate")
        page.get_by_label("Certificate alias").fill(alias)
        page.get_by_label("Certificate file").set_input_files(issue_elsewhere(tmp_path, ca, alias))
        page.get_by_role("button", name="Add certificate").click()
        if ca == "Unknown CA":
            expect(page.locator("[data-rule='chain.trusted']")).to_contain_text("Found")
    expect(page.get_by_role("status").first).to_contain_text("from-trusted was added.")
