"""A security officer's first hour in KMP, by clicks in a real browser, with a real worker in the background.

The shown command makes the CSR, openssl reads what comes back, and the certificate ends up on a project.
"""

from __future__ import annotations

import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from certauthority.models import Authority
from connect.templatetags.look import colon_hex
from kmp.models import InventoryEntry
from tests.browser.test_access import sign_in
from tests.browser.test_first_certificate import fetch, openssl, shell

OFFICER = "officer1@acme.example"


@pytest.fixture
def site(live_site: str, authorities: dict[str, Authority]) -> str:
    call_command("demo_data", stdout=StringIO())
    call_command("demo_kmp", stdout=StringIO())
    return live_site


def make_request_as_shown(page: Page, folder: Path) -> Path:
    command = page.locator("#commands pre:visible").first.inner_text()
    assert command.startswith("openssl req -new -newkey rsa:2048")
    done = shell(command, folder)
    assert done.returncode == 0, done.stderr
    (request,) = folder.glob("*.csr")
    return request


def submit(page: Page, request: Path) -> None:
    page.get_by_label("CSR file").set_input_files(request)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Submit").click()


def wait_for_signature(page: Page) -> str:
    """The new reference, which the page shows without being loaded again."""
    page.evaluate("window.stays = true")
    expect(page.locator("#request")).to_contain_text("Signed: KM-", timeout=60_000)
    assert page.evaluate("window.stays")
    return page.locator("#request").get_by_role("link", name="Open KM-").inner_text().removeprefix("Open ")


@pytest.mark.postgresql
def test_from_the_expiring_certificate_to_the_project(
    page: Page, site: str, celery_worker_process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    expiring = InventoryEntry.objects.get(application__code="developers-portal-client", environment="production")
    sign_in(page, site, OFFICER)
    page.get_by_role("link", name="KMP", exact=True).first.click()
    page.get_by_role("region", name="Inventory").get_by_role("link", name=expiring.reference, exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("Expiring soon")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("link", name="Renew Certificate").click()
    submit(page, make_request_as_shown(page, tmp_path))
    reference = wait_for_signature(page)

    page.get_by_role("link", name=f"Open {reference}").click()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("link", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("main").get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "renewed.pem")
    fetch(f"{site}/ca/kmp.pem", tmp_path / "kmp.pem")
    assert openssl(tmp_path, "verify", "-CAfile", "kmp.pem", "renewed.pem") == "renewed.pem: OK\n"
    assert "PROD" in openssl(tmp_path, "x509", "-in", "renewed.pem", "-noout", "-subject")

    page.goto(f"{site}/kmp/certificates/{expiring.reference}/")
    expect(page.get_by_role("main")).to_contain_text(f"Renewed By {reference}")
    refused = page.request.get(f"{site}/kmp/certificates/{expiring.reference}/download/")
    assert refused.status == 409
    assert f"/kmp/certificates/{reference}/" in refused.text()

    sign_in(page, site, "admin@acme.example")
    page.get_by_role("link", name="Checkout API", exact=True).first.click()
    page.get_by_role("link", name="Production credentials").first.click()
    page.get_by_role("link", name="Add certificate").first.click()
    page.get_by_role("link", name="Upload mTLS certificate").click()
    page.get_by_label("Certificate alias").fill("from-kmp")
    page.get_by_label("Certificate file").set_input_files(tmp_path / "renewed.pem")
    page.get_by_role("button", name="Add certificate").click()
    expect(page.get_by_role("status").first).to_contain_text("from-kmp was added.")


@pytest.mark.postgresql
def test_by_serial_number_with_a_wrong_unit_first(
    page: Page, site: str, celery_worker_process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    expiring = InventoryEntry.objects.get(application__code="xbs-api-mtls", environment="production")
    sign_in(page, site, OFFICER)
    page.get_by_role("link", name="KMP", exact=True).first.click()
    page.get_by_role("link", name="Renew by serial number").click()
    page.get_by_label("Expiring Certificate Serial Number").fill(colon_hex(expiring.serial).lower())
    page.get_by_role("button", name="Find the certificate").click()
    expect(page.get_by_role("main")).to_contain_text("OU=Cross-Border Services")
    good = make_request_as_shown(page, tmp_path)
    wrong = ("-subj", "/C=GB/O=Acme Payments Ltd/OU=Wrong/CN=PROD XBS", "-out", "wrong.csr")
    openssl(tmp_path, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "wrong.key", *wrong)
    page.get_by_label("CSR file").set_input_files(tmp_path / "wrong.csr")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("alert")).to_contain_text("One attribute must change before you can submit: OU")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert").first).to_contain_text("It was not submitted.")
    expect(page.locator("tr.bad")).to_contain_text("OU")
    assert InventoryEntry.objects.get(pk=expiring.pk).state == expiring.state

    page.get_by_label("CSR file").set_input_files(good)
    page.get_by_role("button", name="Check again").click()
    page.get_by_role("button", name="Submit").click()
    reference = wait_for_signature(page)
    assert InventoryEntry.objects.get(reference=reference).renews == expiring
