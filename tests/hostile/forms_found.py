"""The forms of the site, found on its pages, so that no box of a new form is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD, make_csr
from tests.whole_site import WholeSite, routes

TYPED = {"text", "email", "password", "search", "url", "textarea"}
# Pages where forms are looked for: those that may be opened by at least one of these people.
PEOPLE = ("admin", "staff", "anonymous")


@dataclass(slots=True)
class FoundForm:
    """A form as one person sees it: where it is sent, what it holds, and which fields are boxes for text or files."""

    person: str
    page: str
    action: str
    values: dict[str, str] = field(default_factory=dict)
    boxes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)

    def filled(self, site: WholeSite, **other: Any) -> dict[str, Any]:
        """What a person would send: every box filled well, files left out; ``other`` goes before."""
        good = {
            "alias": "hostile",
            "name": "Hostile",
            "csr": make_csr(site.project).decode(),
            "confirmation": "NO",
            "login": site.admin.email,
            "password": "wrong",
            "email": site.stranger.email,
            "oldpassword": PASSWORD,
        }
        known = {name: good.get(name, self.values.get(name, "")) for name in (*self.boxes, *self.choices, *self.values)}
        known |= {name: self.values[name] for name in self.choices if self.values.get(name)}
        return {**known, **other}


def file_of(content: bytes, name: str = "file.pem") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, content)


def forms_of(site: WholeSite) -> list[FoundForm]:
    """Every form that is sent by POST, once for each set of fields, and what htmx sends while somebody types.

    All pages of the site are read at the first call, at later ones those that had a form then: it is the same site.
    """
    found: dict[tuple[str, str, tuple[str, ...]], FoundForm] = {}
    for person in PEOPLE:
        client = site.client(person)
        for route, page in _pages(site):
            forms = [] if _without_forms.get((person, route)) else _forms_at(client, page, person)
            _without_forms[person, route] = not forms
            for form in forms:
                names = tuple(sorted([*form.values, *form.boxes, *form.files]))
                found.setdefault((person if "login" in form.action else "", form.action, names), form)
    return list(found.values())


_without_forms: dict[tuple[str, str], bool] = {}


def _forms_at(client: Client, page: str, person: str) -> list[FoundForm]:
    response = client.get(page)
    if response.status_code != 200 or not response.headers["Content-Type"].startswith("text/html"):
        return []
    return forms_on(response.content.decode(), page=page, person=person)


def _pages(site: WholeSite) -> Iterator[tuple[str, str]]:
    """The name of each route, and its address."""
    values = site.parameters()
    for route in routes():
        if not route.name.startswith("admin:"):
            yield route.name, reverse(route.name, kwargs={name: values[name] for name in route.parameters})


def forms_on(html: str, *, page: str = "", person: str = "") -> list[FoundForm]:
    """The forms of one page that are sent by POST."""
    parser = _Forms(page, person)
    parser.feed(html)
    return parser.forms


class _Forms(HTMLParser):
    def __init__(self, page: str, person: str) -> None:
        super().__init__()
        self.page, self.person = page, person
        self.forms: list[FoundForm] = []
        self._open: list[FoundForm] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self._begin(given.get("action") or self.page)
        if self._open and (checked := given.get("hx-post")):
            self._begin(checked, beside=True)
        name = given.get("name", "")
        if tag in ("input", "textarea", "select") and name and name != "csrfmiddlewaretoken":
            self._field(tag, name, given)
        if tag == "button" and name:
            for form in self._open:
                form.buttons.append(name)
        if tag == "option" and self._select and ("selected" in given or not self._value(self._select)):
            for form in self._open:
                form.values[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = []
        if tag == "select":
            self._select = ""

    def _begin(self, action: str, *, beside: bool = False) -> None:
        form = FoundForm(self.person, self.page, action)
        self.forms.append(form)
        if beside and self._open:
            first = self._open[0]
            form.values, form.boxes, form.files, form.choices = first.values, first.boxes, first.files, first.choices
            return
        self._open = [form]

    def _field(self, tag: str, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        for form in self._open:
            if kind in TYPED:
                form.boxes.append(name)
            elif kind == "file":
                form.files.append(name)
            elif kind == "select":
                form.choices.append(name)
                self._select = name
            elif kind == "hidden" or "checked" in given:
                form.values[name] = given.get("value", "on")

    def _value(self, name: str) -> str:
        return self._open[0].values.get(name, "") if self._open else ""
