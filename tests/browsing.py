"""pytest plugin: a real Chromium, and the site served to it with its collected static files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING, Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from pytest_django import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SYSTEM_CHROMIUM = Path("/usr/bin/chromium")
# Nothing may leave this machine, and each of the first flags stops something that would.
CHROMIUM_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
GUARD_SECONDS = 60
ACTIONS = (
    "check",
    "clear",
    "click",
    "drag_to",
    "fill",
    "focus",
    "press",
    "press_sequentially",
    "select_option",
    "set_input_files",
    "uncheck",
)
# What a page should come to show may take this long where other tests keep the machine busy.
expect.set_options(timeout=20_000)


@pytest.fixture
def live_site(transactional_db: None, settings: Settings) -> Iterator[str]:
    """The address of the real site, served from this process: pages and static files as in `make run`."""
    gate = Gate()
    thread = LiveServerThread("localhost", gate.around)  # type: ignore[arg-type]  # called like a class
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    settings.SITE_URL = f"http://localhost:{thread.port}"
    yield settings.SITE_URL
    gate.shut()
    thread.terminate()


class Gate:
    """What stands before the site, so that nobody is inside when the database is emptied.

    Static files are left to WhiteNoise: Django's own handler does not know the names with hashes.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = 0
        self.is_open = True

    def around(self, site: WSGIHandler) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            with self._changed:
                if not self.is_open:
                    start_response("503 Service Unavailable", [("Content-Length", "0")])
                    return []
                self._inside += 1
            try:
                return site(environ, start_response)
            finally:
                with self._changed:
                    self._inside -= 1
                    self._changed.notify_all()

        return answer

    def shut(self) -> None:
        """Turn away who comes from now on, such as a page that still polls, and wait for those who are inside."""
        with self._changed:
            self.is_open = False
            assert self._changed.wait_for(lambda: self._inside == 0, GUARD_SECONDS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium, one for each file of tests."""
    # Playwright keeps an event loop in this thread, and Django would refuse the database beside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    flags = CHROMIUM_FLAGS + (["--no-sandbox"] if os.getuid() == 0 else [])
    program = SYSTEM_CHROMIUM if SYSTEM_CHROMIUM.exists() else None
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        for action in ACTIONS:
            patch.setattr(Locator, action, _on_loaded_page(getattr(Locator, action)))
        chromium = playwright.chromium.launch(executable_path=program, args=flags)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _on_loaded_page(act: Callable[..., Any]) -> Callable[..., Any]:
    """Make it wait for the scripts of the page that a click has led to: no person is as fast as a test.

    ``Page.fill`` and its like act at once, for the tests of a page whose scripts are still on their way.
    """

    @wraps(act)
    def acting(self: Locator, *arguments: Any, **named: Any) -> Any:
        self.wait_for(state="attached", timeout=named.get("timeout"))
        self.page.wait_for_load_state("load")
        return act(self, *arguments, **named)

    return acting


@pytest.fixture
def browser_context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile: no cookies, nothing kept, clipboard allowed."""
    context = browser.new_context(viewport={"width": DESKTOP["width"], "height": DESKTOP["height"]})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """An empty page; the test fails where a script on it fails or the content security policy stops something."""
    failures: list[str] = []
    page = browser_context.new_page()
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if _is_violation(message.text) else None)
    yield page
    assert failures == []


def _is_violation(text: str) -> bool:
    return "Content Security Policy" in text
