"""Naughty strings in every text field and in all that pages show, in a real browser: no dialogue, no broken page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Response

from certauthority.models import Authority, Certificate
from connect.models import Company, DemoMail, Notice, User
from kmp.models import CertificateRequest
from portal.models import Credential, Project
from tests.browser.test_every_page import pages_of
from tests.hostile.test_strings_corpus import naughty
from tests.whole_site import WholeSite, make_whole_site

# Fields that take text, but not a file: what a person can type into.
BOXES = (
    "main form input:is([type=text],[type=email],[type=search],[type=url],[type=password],:not([type])), main textarea"
)
# The beginning of a function: no length is too long, whatever the page says.
FILL = """([form, boxes, values]) => {
    const found = document.querySelector(form);
    found.querySelectorAll(boxes).forEach((box, place) => {
        box.removeAttribute("maxlength");
        box.value = values[place];
    });
"""


@pytest.fixture
def site(live_site: str, authorities: dict[str, Authority]) -> WholeSite:
    """Everything there is, under names of the list that do most in a browser."""
    made = make_whole_site()
    worst = [text for text in naughty() if "<" in text and len(text) <= 60 and text.isprintable()]
    assert len(worst) > 60
    texts = itertools.cycle(worst)
    for model, field in (
        *((Project, "name"), (Company, "name"), (User, "name"), (Credential, "alias"), (Certificate, "common_name")),
        *((CertificateRequest, "common_name"), (CertificateRequest, "contact"), (CertificateRequest, "csr_name")),
        *((Notice, "subject"), (Notice, "text"), (DemoMail, "subject"), (DemoMail, "text")),
    ):
        for number, row in enumerate(model._default_manager.all()):
            model._default_manager.filter(pk=row.pk).update(**{field: f"{next(texts)}{number}"})
    return made


def opened(browser: Browser, client: Client, live_site: str) -> BrowserContext:
    """A profile in which this person is signed in."""
    context = browser.new_context()
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_site}])
    return context


@pytest.fixture
def heard() -> list[str]:
    """What must not happen: dialogues, errors of scripts, breaches of the policy, answers of status 500."""
    return []


def listening(page: Page, heard: list[str]) -> Page:
    """Hear what must not happen on this page."""

    def dismiss(dialog: Dialog) -> None:
        heard.append(f"{page.url}: dialogue {dialog.message}")
        dialog.dismiss()

    def judge(answer: Response) -> None:
        if answer.status >= 500:
            heard.append(f"{answer.url}: {answer.status}")

    def read(message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            heard.append(f"{page.url}: {message.text}")

    page.on("dialog", dismiss)
    page.on("response", judge)
    page.on("console", read)
    page.on("pageerror", lambda error: heard.append(f"{page.url}: {error}"))
    page.on("popup", lambda other: heard.append(f"{page.url} opened {other.url}"))
    return page


def forms_with_boxes(page: Page) -> int:
    """Mark each form that has a box, and tell how many there are."""
    count: int = page.evaluate(
        """(boxes) => {
            const forms = new Set([...document.querySelectorAll(boxes)].map((box) => box.form));
            [...forms].forEach((form, number) => form.setAttribute("data-number", number));
            return forms.size;
        }""",
        BOXES,
    )
    return count


def send(page: Page, number: int, texts: Iterator[str]) -> int:
    """Type a text into each box of a form and send it, past what the browser itself would refuse; how many boxes."""
    form, boxes = f"form[data-number='{number}']", BOXES.replace("main form ", "")
    count = page.locator(form).locator(boxes).count()
    values = [next(texts) for _ in range(count)]
    if page.locator(form).get_attribute("method") == "dialog":  # A script answers on the page itself.
        page.evaluate(f"{FILL} found.requestSubmit(); }}", [form, boxes, values])
        return count
    with page.expect_navigation(wait_until="domcontentloaded"):
        page.evaluate(f"{FILL} HTMLFormElement.prototype.submit.call(found); }}", [form, boxes, values])
    return count


def look(page: Page, url: str) -> int:
    """Open a page as it stands; how many forms it has."""
    page.goto(url, wait_until="domcontentloaded")
    assert page.locator("h1").count() >= 1, url
    return forms_with_boxes(page)


def test_no_page_opens_a_dialogue_or_breaks(
    browser: Browser, live_site: str, site: WholeSite, heard: list[str]
) -> None:
    """Each page once, as the first of these people who may see it; then each form: some of them take pages away."""
    texts, seen, boxes = itertools.cycle(naughty()), set[str](), 0
    people = {person: site.client(person) for person in ("admin", "staff")}
    pages = {
        person: listening(opened(browser, client, live_site).new_page(), heard) for person, client in people.items()
    }
    forms: list[tuple[Page, str, int]] = []
    for person, client in people.items():
        for address in [address for address in pages_of(client, site) if address not in seen]:
            seen.add(address)
            forms += [(pages[person], address, number) for number in range(look(pages[person], live_site + address))]
    for page, address, number in forms:
        if number < look(page, live_site + address):
            boxes += send(page, number, texts)
            assert page.locator("h1").count() >= 1, f"{address}, form {number} sent"
    for page in pages.values():
        page.context.close()
    assert heard == []
    assert len(seen) > 70
    assert boxes > 30
