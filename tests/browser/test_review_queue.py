"""Key Management in a real browser: from the queue to a decision, in every state that the review page has."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from audit.events import SYSTEM
from certauthority.models import Authority, RevocationReason
from connect.models import User
from kmp.entries import revoke
from tests.browsing import DESKTOP, PHONE
from tests.connect.factories import make_staff
from tests.kmp.decisions import A2A, make_submitted, make_submitted_renewal
from tests.kmp.factories import make_entry
from tests.kmp.wizard import browser as browser_of
from tests.kmp.wizard import company_of, make_two_officers


@pytest.fixture
def olga(live_site: str, authorities: dict[str, Authority]) -> User:
    return make_two_officers()[0]


def staff_page(browser: Browser, live_site: str, theme: str) -> Page:
    """A page in which Kim of Key Management is signed in. The site's policy would keep axe's own script out."""
    context = browser.new_context(bypass_csp=True, color_scheme="dark" if theme == "dark" else "light")
    client = browser_of(make_staff(email="kim@site.example", name="Kim Adeyemi"))
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_site}])
    return context.new_page()


def look_at(page: Page) -> None:
    """Axe finds nothing, and on a phone nothing sticks out."""
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], page.url
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_from_the_queue_to_a_signature_and_to_a_rejection(
    browser: Browser, live_site: str, olga: User, theme: str
) -> None:
    good = make_submitted(olga, A2A)
    expiring = make_entry(company_of(olga), A2A)
    stale = make_submitted_renewal(olga, expiring)
    page = staff_page(browser, live_site, theme)
    page.goto(f"{live_site}/kmp/review/")
    look_at(page)
    page.get_by_role("link", name=f"Review {good.number}").click()
    look_at(page)
    page.get_by_role("button", name="Begin review").click()
    expect(page.get_by_text("Sign or reject it below.")).to_be_visible()
    page.get_by_role("button", name="Sign").click()
    expect(page.get_by_text(f"{good.number} was signed as KM-")).to_be_visible()
    look_at(page)

    page.get_by_role("link", name="Review queue").first.click()
    page.get_by_role("link", name=f"Review {stale.number}").click()
    page.get_by_role("button", name="Begin review").click()
    revoke(expiring, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=timezone.now())
    page.get_by_role("button", name="Sign").click()
    expect(page.get_by_text("It cannot be signed any more")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value(
        f"Something changed after it was submitted. {reason(expiring.reference)}"
    )
    look_at(page)
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("This request was rejected")).to_be_visible()
    look_at(page)
    page.goto(f"{live_site}/kmp/review/?show=rejected")
    expect(page.get_by_role("cell", name="Rejected")).to_be_visible()
    look_at(page)
    page.context.close()


def reason(reference: str) -> str:
    """Why a revoked certificate is not renewed."""
    return (
        f"{reference} was revoked. A revoked certificate is never renewed: make a new request for its application "
        "instead, with a new key."
    )
