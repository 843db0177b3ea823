"""Proof by clicks: what a page shows is run against the running endpoint, and the pages tell what it saw.

Site, endpoint and worker are real, and so is every call: the line of the panel `Try it`, as it stands.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from certauthority.models import Authority, CertificateUse, ReasonCode
from certauthority.use_records import SeenCall, record_calls
from certauthority.x509.requests import new_private_key
from connect.models import User
from portal.models import Credential, Project
from tests.browser.generating import sign_in
from tests.browser.test_first_certificate import make_request_as_shown, open_option
from tests.factories import make_company, make_credential, make_project
from tests.gateway_server import LiveGateway, running_gateway
from tests.kmp.factories import make_entry, make_officer
from tests.shown_commands import answered

HANG_MILLISECONDS = 60_000

pytestmark = pytest.mark.postgresql


@pytest.fixture
def gateway(
    live_site: str, authorities: dict[str, Authority], settings: Settings, tmp_path: Path
) -> Iterator[LiveGateway]:
    """The endpoint, which knows where the site is."""
    with running_gateway(settings, tmp_path, SITE_URL=live_site) as running:
        yield running


@pytest.fixture
def alice(authorities: dict[str, Authority]) -> User:
    """An admin of the project, and one of the security officers of her company."""
    company = make_company(name="Acme Payments Ltd", cid="123456", group_email="certificates@acme.example")
    make_officer(company)
    return make_officer(company, email="alice@acme.example", name="Alice Marlow")


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where Alice works."""
    path = tmp_path / "mine"
    path.mkdir()
    return path


@pytest.fixture
def site(page: Page, live_site: str, alice: User, project: Project) -> Page:
    """The project, opened by Alice."""
    sign_in(page.context, alice, live_site)
    page.goto(live_site)
    page.get_by_role("link", name="Checkout API", exact=True).first.click()
    return page


def make_by_paste(page: Page, folder: Path, alias: str) -> None:
    """From the form `Paste in a CSR` to the new certificate on the credentials page, with the shown command."""
    page.get_by_label("Certificate alias").fill(alias)
    expect(page.locator("#commands")).to_contain_text(f"{alias}.key")
    for old in folder.glob("*.csr"):
        old.unlink()
    request = make_request_as_shown(page, folder)
    page.get_by_label("CSR", exact=True).fill(request.read_text())
    page.get_by_role("button", name="Create certificate").click()
    expect(page.get_by_role("status").first).to_contain_text(f"{alias} was added.")


def download_for_panel(page: Page, folder: Path) -> None:
    """Every file that the panel offers, under the names that it speaks of."""
    links = page.locator("ul.files").get_by_role("link", name="Download")
    for link in links.all():
        with page.expect_download() as download:
            link.click()
        assert download.value.suggested_filename in link.inner_text()
        download.value.save_as(folder / download.value.suggested_filename)


def shown_line(page: Page) -> str:
    """What the first tab of the panel shows."""
    line = page.get_by_role("group", name="Program").locator("xpath=..").locator("pre:visible").inner_text()
    assert line.startswith("curl ")
    return line


def call(line: str, folder: Path) -> str:
    return answered("curl", line, folder)


def row_of(page: Page, alias: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=alias, exact=True))


def reload_until(page: Page, shown: Locator) -> None:
    """The endpoint writes what it saw every few seconds."""
    for _ in range(60):
        if shown.count():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(shown).to_be_visible()


def revoke(page: Page) -> None:
    """On the page that asks."""
    page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    page.get_by_role("button", name="Revoke", exact=True).click()


def test_the_shown_line_is_accepted_and_after_revoke_it_is_refused(
    site: Page, live_site: str, gateway: LiveGateway, celery_worker_process: subprocess.Popen[bytes], folder: Path
) -> None:
    page = site
    open_option(page, "Paste in a CSR")
    make_by_paste(page, folder, "first")
    download_for_panel(page, folder)
    line = shown_line(page)
    credential = Credential.objects.get(alias="first")
    details = f"{live_site}/projects/{credential.project_id}/sandbox/{credential.pk}/"
    answer = call(line, folder)
    assert ReasonCode.ACCEPTED in answer
    assert details in answer
    reload_until(page, row_of(page, "first").get_by_text("Just now"))

    page.goto(details)
    assert shown_line(page) == line
    expect(page.locator("#propagation")).to_contain_text("Its first accepted call.")
    page.get_by_role("button", name="Manage").click()
    page.get_by_role("link", name="Revoke certificate").locator("visible=true").click()
    revoke(page)
    tick = page.get_by_role("checkbox", name="it was used once in the last hour")
    expect(tick).to_be_visible()
    assert Credential.objects.get(pk=credential.pk).ended_at is None, "a certificate in use needs one more tick"
    tick.check()
    revoke(page)
    expect(page.get_by_role("status").first).to_contain_text("first was revoked.")
    refused = call(line, folder)
    assert ReasonCode.REVOKED in refused
    assert "with the reason “Unused or replaced”" in refused
    assert details in refused

    page.goto(details)
    steps = page.locator("#propagation")
    expect(steps).to_contain_text("First refused call: from 127.0.0.1, “Revoked”", timeout=HANG_MILLISECONDS)
    expect(steps).to_contain_text("stands in its place", timeout=HANG_MILLISECONDS)
    expect(steps).to_contain_text(re.compile(r"With number \d+ of Developers CA"), timeout=HANG_MILLISECONDS)
    expect(steps).not_to_contain_text("waiting")
    assert page.locator("#propagation[hx-get]").count() == 0


def test_a_certificate_of_kmp_is_told_of_its_project(
    site: Page, live_site: str, alice: User, gateway: LiveGateway, folder: Path
) -> None:
    page, key = site, new_private_key()
    assert alice.company is not None
    entry = make_entry(alice.company, key=key)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{entry.reference}.key").write_bytes(pem)
    page.get_by_role("link", name="KMP", exact=True).first.click()
    page.get_by_role("region", name="Inventory").get_by_role("link", name=entry.reference, exact=True).click()
    download_for_panel(page, folder)
    line = shown_line(page)
    refused = call(line, folder)
    assert ReasonCode.NOT_ON_PROJECT in refused
    assert live_site in refused
    expect(page.locator("#propagation")).to_contain_text("was answered “Not on any project”", timeout=HANG_MILLISECONDS)

    page.get_by_role("link", name="Upload mTLS certificate to Checkout API, Sandbox").click()
    page.get_by_label("Certificate alias").fill("from-kmp")
    page.get_by_label("Certificate file").set_input_files(folder / f"{entry.reference}-chain.pem")
    page.get_by_role("button", name="Add certificate").click()
    expect(page.get_by_role("status").first).to_contain_text("from-kmp was added.")
    accepted = call(line, folder)
    assert ReasonCode.ACCEPTED in accepted
    assert "“from-kmp” of the project “Checkout API”" in accepted


def used(credential: Credential, *, ago: timedelta) -> None:
    """A call in the past, as the endpoint would have noted it."""
    seen = SeenCall(
        certificate_id=credential.certificate_id,
        at=timezone.now() - ago,
        accepted=True,
        reason=ReasonCode.ACCEPTED,
        environment="sandbox",
        client_address="10.0.0.5",
        tls_version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
    )
    record_calls([seen])


def test_a_rotation_by_the_guide_ends_with_safe_to_revoke(
    site: Page, live_site: str, project: Project, gateway: LiveGateway, folder: Path
) -> None:
    page, old = site, make_credential(project, alias="old-one")
    used(old, ago=timedelta(hours=3))
    page.get_by_role("link", name="Sandbox credentials").first.click()
    page.get_by_role("button", name="Manage old-one").click()
    page.get_by_role("link", name="Rotate").locator("visible=true").click()
    page.get_by_role("link", name="Paste in a CSR").click()
    make_by_paste(page, folder, "new-one")

    page.get_by_role("link", name="Project summary").first.click()
    guide = page.locator("#guides")
    expect(guide).to_contain_text("old-one to new-one")
    expect(guide).to_contain_text("The new certificate has not been used yet")
    guide.get_by_role("link", name="Try it").click()
    expect(page.locator("#try-it")).to_be_in_viewport()
    download_for_panel(page, folder)
    line = shown_line(page)
    expect(page.locator("#guides")).not_to_contain_text("Safe to revoke")
    assert ReasonCode.ACCEPTED in call(line, folder)
    # The page asks by itself until the endpoint has told of the call.
    expect(page.locator("#guides")).to_contain_text("Safe to revoke the old certificate", timeout=HANG_MILLISECONDS)

    page.get_by_role("link", name="Revoke the old one").click()
    expect(page.get_by_role("main")).to_contain_text("Safe to revoke the old certificate")
    revoke(page)
    expect(page.get_by_role("status").first).to_contain_text("old-one was revoked.")
    page.get_by_role("link", name="Project summary").first.click()
    expect(page.locator("#guides")).to_contain_text("The rotation is done")
    assert ReasonCode.ACCEPTED in call(line, folder)


def test_past_its_end_by_the_companys_clock_it_is_refused_as_expired(
    site: Page, live_site: str, gateway: LiveGateway, folder: Path
) -> None:
    page = site
    open_option(page, "Paste in a CSR")
    make_by_paste(page, folder, "mayfly")
    download_for_panel(page, folder)
    line = shown_line(page)
    assert ReasonCode.ACCEPTED in call(line, folder)
    page.goto(f"{live_site}/connect/clock/")
    end = Credential.objects.get(alias="mayfly").certificate.not_after
    page.get_by_label("Date").fill((end + timedelta(days=1)).date().isoformat())
    page.get_by_label("Date").press("Enter")
    expect(page.get_by_role("complementary", name="Company clock")).to_contain_text("days ahead")
    refused = call(line, folder)
    assert ReasonCode.EXPIRED in refused
    assert f"{end:%-d %B %Y}" in refused
    assert gateway.stop() == 0
    assert CertificateUse.objects.get().certificate.common_name.endswith("-Client-MTF-123456")
