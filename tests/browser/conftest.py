"""A page of the shared parts; a project whose admin is signed in, and the site behind a relay that keeps all bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from certauthority.models import Authority
from connect.models import User
from portal.models import Project
from tests import corpus
from tests.browser.generating import REPORT_BREACHES, sign_in
from tests.browser.parts import BENCH, LOGIN, parts
from tests.browser.recorder import Recorder, recording
from tests.factories import make_company, make_project, make_user
from tests.portal.credential_pages import page_url

collect_ignore = corpus.ignored(Path(__file__).parent)


def pytest_report_header() -> list[str]:
    return corpus.report_header()


@pytest.fixture
def relay(live_site: str) -> Iterator[Recorder]:
    """The site at an address of its own, every byte recorded."""
    with recording(live_site) as recorder:
        yield recorder


@pytest.fixture
def maker(relay: Recorder, authorities: dict[str, Authority], browser_context: BrowserContext) -> User:
    """The admin of ``project``, signed in."""
    company = make_company(name="Acme Payments Ltd", cid="123456")
    user = make_user(email="alice@acme.example", name="Alice Marlow", company=company)
    sign_in(browser_context, user, relay.address)
    return user


@pytest.fixture
def made_in(maker: User) -> Project:
    """Where keys are made."""
    return make_project(admin=maker, name="Checkout API")


@pytest.fixture
def form(page: Page, relay: Recorder, made_in: Project) -> Iterator[Page]:
    """The page, opened; it may ask nobody but the site behind the relay, and no breach of its policy stays unheard."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.add_init_script(REPORT_BREACHES)
    page.goto(relay.address + page_url("generate_key", made_in))
    yield page
    assert [url for url in asked if not url.startswith((relay.address, f"blob:{relay.address}"))] == []


@pytest.fixture
def serve(live_site: str, browser_context: BrowserContext) -> Callable[..., None]:
    """Answer an address of the site with this text, under the site's own content security policy."""
    policy = browser_context.request.get(live_site + LOGIN).headers["content-security-policy"]

    def answer(path: str, body: str, status: int = 200, content_type: str = "text/html; charset=utf-8") -> None:
        headers = {"Content-Security-Policy": policy, "Content-Type": content_type}

        def fulfil(route: Route) -> None:
            route.fulfill(status=status, body=body, headers=headers)

        browser_context.route(live_site + path, fulfil)

    return answer


@pytest.fixture
def parts_page(live_site: str, page: Page, serve: Callable[..., None]) -> Page:
    """A page that holds every shared part."""
    serve(BENCH, parts())
    page.goto(live_site + BENCH)
    return page
