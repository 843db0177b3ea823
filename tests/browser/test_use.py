"""The use of a certificate in a real browser: calls appear while one looks, and the chart needs no script."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from certauthority.models import Authority, ReasonCode
from certauthority.use_records import record_calls
from portal.models import Credential
from tests.browsing import DESKTOP, PHONE
from tests.certauthority.seen_calls import seen
from tests.factories import make_credential, make_project, make_user


@pytest.fixture
def credential(live_site: str, authorities: dict[str, Authority]) -> Credential:
    return make_credential(make_project(admin=make_user(email="alice@acme.example")), alias="payouts-2027")


def page_of(browser: Browser, live_site: str, credential: Credential, *, script: bool = True, theme: str = "") -> Page:
    client = Client()
    client.force_login(credential.project.memberships.get().user)
    context = browser.new_context(java_script_enabled=script, color_scheme="dark" if theme == "dark" else "light")
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_site}])
    page = context.new_page()
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    page.goto(f"{live_site}/projects/{credential.project_id}/sandbox/{credential.pk}/")
    return page


def test_calls_appear_while_one_looks(browser: Browser, live_site: str, credential: Credential) -> None:
    page = page_of(browser, live_site, credential)
    page.evaluate("window.same = true")
    calls = page.locator("#calls")
    expect(calls).to_contain_text("No call has been made with this certificate yet.")
    expect(page.locator("#use")).to_contain_text("No call yet")
    record_calls([seen(credential.certificate, timezone.now())])
    expect(calls.get_by_role("row")).to_have_count(2, timeout=30_000)
    expect(page.locator("#use")).to_contain_text("1 accepted, 0 refused")
    with page.expect_response(re.compile(r"/calls/\?seen=")) as unchanged:
        pass
    assert unchanged.value.status == 204
    record_calls([seen(credential.certificate, timezone.now(), reason=ReasonCode.REVOKED)])
    expect(calls.get_by_role("row").nth(1)).to_contain_text("Revoked", timeout=30_000)
    assert page.evaluate("window.same"), "the page was not loaded anew"
    page.context.close()


def test_without_script_it_is_a_plain_list_and_a_plain_chart(
    browser: Browser, live_site: str, credential: Credential
) -> None:
    record_calls([seen(credential.certificate, timezone.now() - timedelta(days=days)) for days in (0, 3)])
    page = page_of(browser, live_site, credential, script=False)
    expect(page.locator("#calls").get_by_role("row")).to_have_count(3)
    expect(page.locator("#use svg[role=img] rect.use")).to_have_count(1)
    page.get_by_role("navigation", name="Period").get_by_role("link", name="7 days").click()
    expect(page.locator("#use svg[role=img] rect.use")).to_have_count(2)
    page.get_by_text("The same in numbers").click()
    expect(page.locator("#use table").get_by_role("row")).to_have_count(3)
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_a_phone_needs_no_scrolling(
    browser: Browser, live_site: str, credential: Credential, theme: str
) -> None:
    now = timezone.now()
    record_calls(
        [
            seen(credential.certificate, now - timedelta(hours=hours), reason=reason, address=address)
            for hours in range(0, 400, 7)
            for reason, address in (
                (ReasonCode.ACCEPTED, "10.0.0.5"),
                (ReasonCode.SUPERSEDED, "10.0.0.6"),
                (ReasonCode.WRONG_ENVIRONMENT, "2001:db8:85a3:8d3:1319:8a2e:370:7348"),
            )
        ]
    )
    page = page_of(browser, live_site, credential, theme=theme)
    for period in ("48h", "90d"):
        page.goto(f"{page.url.partition('?')[0]}?use={period}")
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        page.locator("#use summary").click()
        violations = Axe().run(page).response["violations"]
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.context.close()
