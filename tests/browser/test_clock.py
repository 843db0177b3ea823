"""The company clock by clicks: to the next event until the certificate has expired, mail by mail, and back."""

from __future__ import annotations

import re
import subprocess
from http import HTTPStatus

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as site_settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from certauthority.models import Authority
from connect.demo import DEMO_PASSWORD
from connect.expiry.scan import scan
from connect.models import Channel, Company, Notice, NoticeState, User
from portal.demo import create_demo_data
from portal.models import Credential
from tests.browser.test_every_page import open_as
from tests.browsing import DESKTOP, PHONE

ALICE = "admin@acme.example"
CHARLIE = "developer@globex.example"
# The Sandbox certificate of the demo has 12 days left.
LEFT = [days for days in sorted(site_settings.NOTICE_THRESHOLD_DAYS, reverse=True) if 0 <= days < 12]


@pytest.fixture
def site(live_site: str, authorities: dict[str, Authority]) -> str:
    create_demo_data(now=timezone.now())
    scan(now=timezone.now())  # As beat does it, so that what was due before any jump is none of its doing.
    return live_site


def sign_in(page: Page, site: str, email: str) -> None:
    page.context.clear_cookies()
    page.goto(site)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="My Projects")).to_be_visible()


def open_clock(page: Page) -> None:
    page.get_by_role("button", name="Alice Marlow account").click()
    page.get_by_role("link", name="Clock", exact=True).click()
    expect(page.get_by_role("heading", name="Clock", exact=True)).to_be_visible()


def subject_of(days: int) -> re.Pattern[str]:
    left = {0: "today", 1: "in 1 day"}.get(days, f"in {days} days")
    return re.compile(rf"checkout-mtf \(Sandbox\) expires {left}")


def statuses(page: Page, site: str) -> str:
    """What the Sandbox credentials' page says of the one certificate."""
    credential = Credential.objects.get(alias="checkout-mtf")
    page.goto(f"{site}/projects/{credential.project_id}/sandbox/?show=all")
    return page.get_by_role("row").filter(has_text="checkout-mtf").filter(has_not_text="2025").inner_text()


def test_the_life_of_a_certificate_in_a_few_presses(
    page: Page, site: str, celery_worker_process: subprocess.Popen[bytes]
) -> None:
    sign_in(page, site, ALICE)
    assert "Expiring soon" in statuses(page, site)
    open_clock(page)
    for days in LEFT:
        page.get_by_role("button", name="To the next event").click()
        told = page.locator("#caused").get_by_role("row").filter(has_text=subject_of(days))
        # The page asks by itself until the mail is out.
        expect(told).to_contain_text("Sent", timeout=60_000)
    page.get_by_role("button", name="To the next event").click()
    expect(page.locator("#caused")).to_contain_text("checkout-mtf")
    expect(page.locator("#caused").get_by_text("Expired", exact=True).first).to_be_visible()
    expect(page.get_by_role("complementary", name="Company clock")).to_contain_text("12 days ahead")
    assert "Expired" in statuses(page, site)
    page.goto(f"{site}/connect/mailbox/")
    for days in LEFT:
        expect(page.get_by_text(subject_of(days)).first).to_be_visible()

    sign_in(page, site, CHARLIE)
    expect(page.get_by_role("complementary", name="Company clock")).to_have_count(0)
    assert not Notice.objects.filter(company__name="Globex Bank", threshold__isnull=False).exists()

    sign_in(page, site, ALICE)
    open_clock(page)
    page.get_by_role("link", name="Start over").click()
    expect(page.get_by_text("keep their dates")).to_be_visible()
    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_text("shows real time again")).to_be_visible()
    expect(page.get_by_role("complementary", name="Company clock")).to_have_count(0)
    assert "Expiring soon" in statuses(page, site)


def test_a_double_click_is_one_day(page: Page, site: str) -> None:
    sign_in(page, site, ALICE)
    open_clock(page)
    page.get_by_role("button", name="+1 day").dblclick()
    expect(page.get_by_role("complementary", name="Company clock")).to_contain_text("1 day ahead")
    page.wait_for_load_state()
    assert Company.objects.get(name="Acme Payments Ltd").clock_jumps.count() == 1


def test_to_a_date_by_the_keyboard(page: Page, site: str) -> None:
    sign_in(page, site, ALICE)
    open_clock(page)
    day = timezone.now().date().replace(day=1)
    day = day.replace(year=day.year + 1)
    page.get_by_label("Date").fill(day.isoformat())
    page.get_by_label("Date").press("Enter")
    expect(page.get_by_text(f"The clock of Acme Payments Ltd shows {day:%-d %b %Y}, 00:00 UTC now.")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_where_the_clock_is_ahead(browser: Browser, site: str, theme: str) -> None:
    client = Client()
    client.force_login(User.objects.get(email=ALICE))
    company = Company.objects.get(name="Acme Payments Ltd")
    for step in ("days", "event"):
        state = client.get("/connect/clock/").context["clock"].state
        assert client.post("/connect/clock/", {"step": step, "state": state}).status_code == HTTPStatus.FOUND
    Notice.objects.filter(channel=Channel.MAIL, state=NoticeState.DUE).update(
        state=NoticeState.SENT, sent_at=timezone.now()
    )
    page = open_as(browser, client, site, theme)
    for address in ("/connect/clock/", f"/connect/clock/{company.pk}/start-over/", "/projects/"):
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        page.goto(site + address)
        violations = Axe().run(page).response["violations"]
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == [], address
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
    page.context.close()
