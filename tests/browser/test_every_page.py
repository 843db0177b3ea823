"""Every page of the site in a real browser: axe in both themes, no sideways scrolling on a phone, nothing refused."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page

from certauthority.models import Authority
from tests.browsing import DESKTOP, PHONE
from tests.whole_site import WholeSite, make_whole_site, routes


@pytest.fixture
def whole_site(live_site: str, authorities: dict[str, Authority]) -> WholeSite:
    return make_whole_site()


def pages_of(client: Client, site: WholeSite) -> Iterator[str]:
    """The addresses of all pages that this person may read, but Django's own admin."""
    for route in routes():
        if route.name.startswith("admin:") or "admin/" in route.pattern:
            continue
        given = {name: value for name, value in site.parameters().items() if name in route.parameters}
        address = reverse(route.name, kwargs=given)
        response = client.get(address)
        if response.status_code == HTTPStatus.OK and response["Content-Type"].startswith("text/html"):
            yield address


def open_as(browser: Browser, client: Client, live_site: str, theme: str) -> Page:
    # The policy of the site would keep axe's own script out.
    context = browser.new_context(bypass_csp=True, color_scheme="dark" if theme == "dark" else "light")
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_site}])
    return context.new_page()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("person", "at_least"), [("admin", 18), ("staff", 8)])
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: Browser, live_site: str, whole_site: WholeSite, person: str, at_least: int, theme: str
) -> None:
    client = whole_site.client(person)
    addresses = list(pages_of(client, whole_site))
    assert len(addresses) >= at_least
    page = open_as(browser, client, live_site, theme)
    for address in addresses:
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        page.goto(live_site + address)
        violations = Axe().run(page).response["violations"]
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == [], address
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
    page.context.close()
