"""Forms filled in before the page's scripts have come, as on a slow line: what the page shows follows all the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from certauthority.models import Authority
from connect.models import User
from portal.models import Project
from tests.browser.generating import sign_in
from tests.factories import make_company, make_project
from tests.kmp.factories import XBS, make_entry, make_many_entries, make_officer
from tests.portal.credential_pages import page_url

# All but the one that chooses the colours: what it holds up is the page itself.
SCRIPTS = re.compile(r"/static/(?!js/theme).*\.js$")


class SlowLine:
    """Holds the scripts of a page until they are let through."""

    def __init__(self, page: Page) -> None:
        self._held: list[Route] | None = []
        page.route(SCRIPTS, self._hold)

    def _hold(self, route: Route) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def let_through(self) -> None:
        held, self._held = self._held, None
        for route in held or []:
            route.continue_()


@pytest.fixture
def olga(live_site: str, authorities: dict[str, Authority]) -> User:
    return make_officer(make_company(name="Acme Payments Ltd", cid="123456"), email="olga@acme.example")


@pytest.fixture
def project(olga: User) -> Project:
    return make_project(admin=olga, name="Checkout API")


@pytest.fixture
def line(page: Page, live_site: str, olga: User) -> SlowLine:
    sign_in(page.context, olga, live_site)
    return SlowLine(page)


def test_commands_follow_an_alias_typed_before_the_scripts_came(
    page: Page, live_site: str, line: SlowLine, project: Project
) -> None:
    page.goto(live_site + page_url("paste_csr", project), wait_until="commit")
    page.fill("#id_alias", "mayfly")
    line.let_through()
    expect(page.locator("#commands")).to_contain_text("mayfly.key")


def test_a_file_chosen_before_the_scripts_came_is_judged(
    page: Page, live_site: str, line: SlowLine, project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "request.csr"
    path.write_text("no CSR")
    page.goto(live_site + page_url("upload_csr", project), wait_until="commit")
    page.set_input_files("#id_csr_file", path)
    line.let_through()
    expect(page.locator("#judgement [data-announce]")).to_contain_text("1 broken")


def test_the_inventory_follows_a_search_and_a_choice_made_before_the_scripts_came(
    page: Page, live_site: str, line: SlowLine, olga: User
) -> None:
    assert olga.company is not None
    make_many_entries(olga.company, 5)
    entry = make_entry(olga.company, XBS)
    page.goto(f"{live_site}/kmp/", wait_until="commit")
    page.fill("#id_q", "XBS")
    page.select_option("#id_status", "active")
    line.let_through()
    expect(page).to_have_url(re.compile(r"/kmp/\?q=XBS&status=active$"))
    expect(page.locator("#inventory tbody tr")).to_have_count(1)
    expect(page.get_by_role("row", name=re.compile(entry.reference))).to_be_visible()


def test_a_form_that_nobody_touched_asks_nothing(page: Page, live_site: str, line: SlowLine, olga: User) -> None:
    make_entry(olga.company, XBS)
    page.goto(f"{live_site}/kmp/?q=XBS&status=active", wait_until="commit")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))
    line.let_through()
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)
    assert "xhr" not in asked
