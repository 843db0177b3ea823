"""The guided rotation and its report in a real browser: ticks come by themselves, and paper has the facts alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from certauthority.models import Authority
from connect.models import User
from portal.models import Credential, Project
from tests.browser.generating import REPORT_BREACHES, sign_in
from tests.factories import make_company, make_credential, make_project, make_user
from tests.portal.credential_pages import credential_url
from tests.portal.rotation_calls import called


@pytest.fixture
def project(live_site: str, authorities: dict[str, Authority], browser_context: BrowserContext) -> Project:
    user: User = make_user(email="alice@acme.example", name="Alice Marlow", company=make_company())
    sign_in(browser_context, user, live_site)
    return make_project(admin=user, name="Checkout API")


@pytest.fixture
def old(project: Project) -> Credential:
    return make_credential(project, alias="old-one")


@pytest.fixture
def new(old: Credential, project: Project) -> Credential:
    return make_credential(project, alias="new-one", predecessor=old)


def test_steps_tick_themselves_and_lead_to_the_revocation(
    page: Page, live_site: str, old: Credential, new: Credential
) -> None:
    breaches: list[str] = []
    page.on("console", lambda message: breaches.append(message.text) if message.type == "error" else None)
    page.add_init_script(REPORT_BREACHES)
    called(old, 120)
    page.goto(live_site + credential_url("credential", new))
    guide = page.get_by_role("region", name="old-one to new-one")
    expect(guide.locator("[aria-current=step]")).to_contain_text("2. Switch")
    report = guide.get_by_role("link", name="Rotation report")
    report.focus()
    called(new, 1)
    expect(guide.locator("[aria-current=step]")).to_contain_text("4. Revoke", timeout=20_000)
    expect(guide).to_contain_text("Safe to revoke the old certificate")
    expect(page.locator("#announcer")).to_have_text("Safe to revoke the old certificate")
    guide.get_by_role("link", name="Revoke the old one").click()
    page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("old-one was revoked.")
    page.goto(live_site + credential_url("credential", new))
    expect(page.get_by_role("region", name="old-one to new-one")).to_contain_text("The rotation is done")
    assert breaches == []


def test_what_has_focus_keeps_it_while_nothing_changes(
    page: Page, live_site: str, old: Credential, new: Credential
) -> None:
    page.goto(live_site + credential_url("credential", new))
    link = page.get_by_role("region", name="old-one to new-one").get_by_role("link", name="Try it")
    link.focus()
    with page.expect_response(lambda answer: "/rotation/guide/?state=" in answer.url, timeout=20_000) as answered:
        pass
    assert answered.value.status == 204
    expect(link).to_be_focused()


def test_one_in_use_asks_for_the_tick(page: Page, live_site: str, old: Credential) -> None:
    called(old, 3)
    page.goto(live_site + credential_url("credential_revoke", old))
    page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    page.get_by_role("button", name="Revoke", exact=True).click()
    old.refresh_from_db()
    assert old.ended_at is None
    tick = page.get_by_label("I know that it was used once in the last hour")
    expect(tick).to_be_focused()  # The browser itself says that it is needed.
    tick.check()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("old-one was revoked.")


def test_paper_has_the_facts_and_no_buttons(page: Page, live_site: str, old: Credential, new: Credential) -> None:
    called(old, 120)
    called(new, 30)
    page.goto(live_site + credential_url("rotation_report", old))
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")
    for hidden in (page.get_by_role("button", name="Print"), page.locator(".topbar"), page.locator(".sidenav")):
        expect(hidden).to_be_hidden()
    for shown in ("Safe to revoke the old certificate", "Rotation carried out by", "Checked by, date"):
        expect(page.get_by_text(shown, exact=True)).to_be_visible()
    expect(page.locator("svg[aria-labelledby=both-title]")).to_be_visible()
