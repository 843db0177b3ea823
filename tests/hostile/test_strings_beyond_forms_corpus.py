"""Naughty strings beyond forms: in searches, second factors, tables, mails, calendars and logs."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMultiAlternatives
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from certauthority.models import Authority
from config.log_formats import JsonFormatter, LineFormatter
from connect import delivery, notices, samples
from connect.expiry import calendar
from connect.models import Notice, User
from connect.notices import Recipient
from kmp.models import InventoryEntry
from portal.models import Credential, Project
from tests.connect.calendar_reader import read
from tests.connect.second_factor_steps import APP, CONFIRM
from tests.connect.software_key import SoftwareKey
from tests.factories import PASSWORD, make_company, make_many_credentials, make_project, make_user
from tests.hostile.forms_found import FoundForm, forms_on
from tests.hostile.test_strings_corpus import OWN, naughty
from tests.kmp.factories import make_many_entries, make_officer
from tests.whole_site import WholeSite, routes

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("certauthority", "connect", "kmp", "portal")
# How a view reads what stands behind the question mark of an address.
_ASKED = re.compile(r"\bGET(?:\.get\(|\.getlist\(|\[)\"(\w+)\"")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Controls, characters that change the direction, ends of lines and paragraphs, halves of characters, private ones.
UNSEEN = ("Cc", "Cf", "Zl", "Zp", "Cs", "Co")
PASSKEY = "/accounts/security/passkey/"


def all_strings() -> list[str]:
    """Our own worst, and the whole list."""
    return [*OWN, *naughty()]


def has_markup(text: str) -> bool:
    """Whether it would be markup if it stood in a page as it is."""
    return len(text) > 8 and re.search(r"[<\"'].*[A-Za-z]", text) is not None and escape(text) != text


def problem_of(client: Client, address: str, query: dict[str, str]) -> str:
    """What is wrong with the answer to an address with these parameters; empty where nothing is."""
    response = client.get(address, query)
    content = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]  # the client's stubs know one kind of response
    body = content.decode(errors="replace")
    if response.status_code >= 500:
        return f"{address}: {response.status_code} for {query}"
    if any("\r" in value or "\n" in value for value in response.headers.values()):
        return f"{address}: a header of several lines for {query}"
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if is_page and any(has_markup(text) and text in body for text in query.values()):
        return f"{address}: unescaped, for {query}"
    return ""


def asked_names() -> list[str]:
    """Every name of a parameter that a view reads by itself."""
    sources = [path.read_text(encoding="utf-8") for app in APPS for path in (ROOT / app).rglob("*.py")]
    return sorted({name for source in sources for name in _ASKED.findall(source)})


def test_searches_take_every_string(site: WholeSite) -> None:
    client = site.client("admin")
    searches = [reverse("connect:store"), reverse("kmp:inventory")]
    asked = [*itertools.product(searches, OWN), *zip(itertools.cycle(searches), naughty(), strict=False)]
    problems = [problem_of(client, search, {"q": text}) for search, text in asked]
    assert not any(problems), "\n".join(filter(None, problems))


def test_what_stands_behind_the_question_mark_of_any_address(site: WholeSite) -> None:
    """Every parameter of every page, the filters and places in lists among them, each with another string."""
    names = [*asked_names(), "environment", "status", "application", "expires_from", "expires_until"]
    assert {"after", "before", "page", "q", "show", "sort"} <= {*names}
    texts, values, problems = itertools.cycle(all_strings()), site.parameters(), []
    for person in ("admin", "staff"):
        client = site.client(person)
        for route in routes():
            if route.name.startswith("admin:"):
                continue
            address = reverse(route.name, kwargs={name: values[name] for name in route.parameters})
            problems.append(problem_of(client, address, {name: next(texts) for name in names}))
    assert not any(problems), "\n".join(filter(None, problems))


def sent(client: Client, form: FoundForm, text: str) -> str:
    """What is wrong once every box of a form holds the text."""
    response = client.post(form.action, {**form.values, **dict.fromkeys(form.boxes, text)})
    body = response.content.decode()
    where = response.headers.get("Location", "")
    if where.startswith("/"):
        body += client.get(where).content.decode()
    if response.status_code not in (200, 302):
        return f"{form.action}: {response.status_code} for {text[:60]!r}"
    return f"{form.action}: unescaped {text[:60]!r}" if has_markup(text) and text in body else ""


def test_codes_and_names_of_second_factors(user: User) -> None:
    """The pages that ask for the password first. A passkey may have any name that can be seen."""
    client = Client()
    client.force_login(user)
    assert client.post(CONFIRM, {"password": PASSWORD}).status_code == 302
    options = re.search(r"data-options=\"([^\"]+)\"", page := client.get(PASSKEY).content.decode())
    assert options is not None, page
    answer = SoftwareKey().create(options.group(1).replace("&quot;", '"'))
    client.post(PASSKEY, {"name": "Laptop", "credential": answer})
    factor = Authenticator.objects.get(user=user, type=Authenticator.Type.WEBAUTHN)
    forms = [
        form
        for address in (APP, PASSKEY, f"{PASSKEY}{factor.pk}/")
        for form in forms_on(client.get(address).content.decode(), page=address)
        if form.boxes
    ]
    assert {box for form in forms for box in form.boxes} >= {"code", "name"}
    asked = [*itertools.product(forms, OWN), *zip(itertools.cycle(forms), naughty(), strict=False)]
    problems = [sent(client, form, text) for form, text in asked]
    assert not any(problems), "\n".join(filter(None, problems))


@pytest.fixture
def user(db: None) -> User:
    return make_user(email="alice@acme.example", name="Alice Marlow")


@pytest.mark.usefixtures("authorities")
def test_the_exported_table_has_a_line_for_each_and_no_formula() -> None:
    texts = [text.replace("\x00", "")[:64] for text in all_strings()]  # PostgreSQL stores no NUL.
    company = make_company(name="Acme Payments Ltd")
    officer = make_officer(company, email="olga@acme.example", name="Olga Brandt")
    entries = make_many_entries(company, len(texts))
    for entry, text in zip(entries, texts, strict=True):
        InventoryEntry.objects.filter(pk=entry.pk).update(common_name=text)
    client = Client()
    client.force_login(officer)
    response: Any = client.get("/kmp/certificates.csv")
    written = b"".join(response.streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(written, newline=""), strict=True))
    head, *rows = lines
    assert {len(row) for row in lines} == {len(head)}
    told = {row[head.index("Reference")]: row[head.index("Common name")] for row in rows}
    assert {entry.reference: told[entry.reference].removeprefix("'") for entry in entries} == {
        entry.reference: text.removeprefix("'") for entry, text in zip(entries, texts, strict=True)
    }
    assert [cell for row in rows for cell in row if cell.lstrip(" ").startswith(_FORMULA)] == []


def with_strings(value: object, texts: Iterator[str]) -> object:
    """The same with another string in the place of each that a person or a certificate could have chosen."""
    match value:
        case str():
            return next(texts)
        case dict():
            return {key: with_strings(inner, texts) for key, inner in value.items()}
        case list() | tuple():
            return [with_strings(inner, texts) for inner in value]
        case models.Model():
            for field in value._meta.concrete_fields:
                if isinstance(field, models.CharField) and not field.choices:
                    setattr(value, field.attname, next(texts))
            return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        strings = {name: next(texts) for name, inner in found.items() if isinstance(inner, str)}
        return dataclasses.replace(value, **strings)
    return value


@pytest.mark.usefixtures("authorities")
def test_no_mail_has_a_line_a_header_or_markup_of_theirs(user: User) -> None:
    """Every kind of mail, with the list in the place of all that it tells, until every string was used twice."""
    strings = all_strings()
    texts, times = itertools.cycle(strings), 0
    while times < 2 * len(strings):
        for kind in samples.kinds():
            used: list[str] = []
            noting = noted(texts, used)
            example = kind.make(user, timezone.now())
            context = {name: with_strings(value, noting) for name, value in example.context.items()}
            written = notices.write(kind.name, recipient=Recipient("a@acme.example"), link="/x/", context=context)
            see_that_it_is_harmless(written, used)
            times += len(used)


def noted(texts: Iterator[str], used: list[str]) -> Iterator[str]:
    """The same texts; each that was taken is in the list."""
    for text in texts:
        used.append(text)
        yield text


def see_that_it_is_harmless(written: notices.Written, used: list[str]) -> None:
    """One line of subject, one recipient, and no character of the list that is markup or cannot be seen."""
    unseen = {
        character for character in f"{written.subject}{written.text}" if unicodedata.category(character) in UNSEEN
    }
    assert unseen <= {"\n"}
    assert "\n" not in written.subject
    assert [text for text in used if has_markup(text) and text in written.html] == []
    row = Notice(subject=written.subject, text=written.text, html=written.html, address="a@acme.example")
    mail = delivery._mail(row)
    assert isinstance(mail, EmailMultiAlternatives)
    message = mail.message()
    assert (message["To"], message["Bcc"], message["Cc"]) == ("a@acme.example", None, None)
    assert len(message.get_all("Subject", [])) == 1
    assert message.as_bytes()


def test_a_calendar_has_an_event_for_each_and_nothing_else(authorities: dict[str, Authority], user: User) -> None:
    texts = [text.replace("\x00", "") for text in all_strings()]  # PostgreSQL stores no NUL.
    project = make_project(admin=user)
    now = timezone.now()
    for begin in range(0, len(texts), 30):
        part = texts[begin : begin + 30]
        made = make_many_credentials(project, len(part), not_after=now + timedelta(days=100))
        for number, (credential, text) in enumerate(zip(made, part, strict=True)):
            Credential.objects.filter(pk=credential.pk).update(alias=f"{text[:30]}{number}")
        Project.objects.filter(pk=project.pk).update(name=part[0][:64])
        found = read(calendar.feed_of(user, now=now))
        assert Counter(event.name for event in found.inner)["VEVENT"] == len(part)
        assert {event.name for event in found.inner} <= {"VEVENT", "VTIMEZONE"}
        Credential.objects.filter(pk__in=[credential.pk for credential in made]).delete()


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()], ids=["json", "line"])
def test_no_line_of_a_log_is_theirs(formatter: logging.Formatter) -> None:
    for text in all_strings():
        record = logging.LogRecord("portal", logging.INFO, __file__, 1, "The name is %s.", (text,), None)
        line = formatter.format(record)
        assert line.isprintable(), text
        assert line.splitlines() == [line], text
        if isinstance(formatter, JsonFormatter):
            assert json.loads(line)["message"].startswith("The name is "), text
