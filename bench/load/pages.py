"""The pages that are measured, for the company in the middle and for the large one, and how.

A person signs in by the form, with password and the code of an authenticator app, and eight clients use that session.
The number of queries is counted in this process, on the same database.
"""
# ruff: noqa: PLC0415  Django is set up (`bench.load.site`) before its models can be imported.

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.load import clients
from bench.load.fill import Holder
from bench.load.site import Site
from faults.browser import Browser
from tools.stack.layout import PORTAL

if TYPE_CHECKING:
    from django.test import Client

REQUESTS_EACH, WARM_UP_EACH = 25, 3


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. ``cookie`` is the header that their browser sends."""

    holder: Holder
    cookie: str


@dataclass(frozen=True, slots=True)
class Page:
    """An address, and something that stands on the page and on no other."""

    path: str
    holds: str


def sign_in(site: Site, holder: Holder) -> Person:
    """Give the person a password and an authenticator app, and sign in by the forms of the site.

    Raises RuntimeError where the site does not let them in.
    """
    from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
    from django.utils import timezone

    from audit.events import Actor
    from connect.second_factors import add_app
    from connect.totp import STEP_SECONDS

    person, password, secret = holder.person, secrets.token_urlsafe(24), generate_totp_secret()
    person.set_password(password)
    person.save(update_fields=["password"])

    def code() -> str:
        return str(format_hotp_value(hotp_value(secret, int(time.time()) // STEP_SECONDS)))

    add_app(person, secret=secret, code=code(), keep=None, actor=Actor(person.email), now=timezone.now())
    # Each code counts once: the next one comes with the next step.
    time.sleep(STEP_SECONDS - time.time() % STEP_SECONDS + 0.5)
    browser = Browser(site.stack)
    asked = browser.try_to_sign_in(person.email, password)
    answer = browser.post(asked.location, {"code": code()})
    if answer.status != 302 or browser.get("/projects/").status != 200:
        raise RuntimeError(f"{person.email} cannot sign in: {asked.status} {asked.location}, {answer.status}")
    return Person(holder, browser.cookie)


def pages_of(holder: Holder) -> Mapping[str, Page]:
    """The pages by what they are called in the report."""
    from django.urls import reverse
    from django.utils import timezone

    from kmp.inventory import Order, Wanted
    from kmp.inventory_pages import page_of

    project, company = holder.projects[0], holder.company
    listed = reverse("portal:credentials", args=[project.pk, "sandbox"])
    inventory = reverse("kmp:inventory")
    last = page_of(company, Wanted(), Order.read("").reverse, now=timezone.now()).rows[0].entry
    return {
        "My Projects": Page(reverse("portal:projects"), project.name),
        "project summary": Page(reverse("portal:project", args=[project.pk]), "timeline"),
        "credentials, first page": Page(listed, "checkout-"),
        "credentials, last page": Page(f"{listed}?show=all&page=1000000", "checkout-"),
        "inventory, first page": Page(inventory, "KM-"),
        "inventory, search": Page(f"{inventory}?q={last.common_name[3:10]}", last.reference),
        "inventory, last page": Page(f"{inventory}?before={last.reference}", "KM-"),
    }


def latencies(site: Site, person: Person, page: Page) -> list[float]:
    """How long each answer took, in milliseconds."""
    task = clients.Task(
        host=PORTAL,
        port=site.layout.ports["https"],
        root=str(site.root),
        cookie=person.cookie,
        path=page.path,
        holds=page.holds,
        requests=REQUESTS_EACH,
        warm_up=WARM_UP_EACH,
    )
    return [seconds * 1000 for seconds in clients.latencies(task)]


def queries(person: Person, page: Page) -> int:
    """How many queries the page asks, in this process."""
    from django.db import connection

    asked: list[str] = []

    def note(execute, sql, params, many, context):  # type: ignore[no-untyped-def]  # Django's own signature
        asked.append(sql)
        return execute(sql, params, many, context)

    client = _in_this_process(person)
    client.get(page.path, secure=True)
    with connection.execute_wrapper(note):
        answer = client.get(page.path, secure=True)
    if answer.status_code != 200:
        raise RuntimeError(f"{page.path} answered {answer.status_code}")
    return len(asked)


def _in_this_process(person: Person) -> Client:
    from django.test import Client

    return Client(HTTP_HOST=PORTAL, HTTP_COOKIE=person.cookie, HTTP_X_FORWARDED_PROTO="https")
