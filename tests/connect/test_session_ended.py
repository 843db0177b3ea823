"""htmx on a page whose session has ended: the whole page goes to sign in, and comes back to where it was."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from portal.models import Environment
from tests.factories import make_project

pytestmark = pytest.mark.django_db

SITE = "http://testserver"
LOGIN = "/accounts/login/"
HTMX = {"HX-Request": "true"}


def next_of(client: Client, address: str, *, page: str = "", method: str = "get") -> str:
    """Where the sign-in leads afterwards, if the answer to htmx is to sign in, and nothing to put into the page."""
    headers = {**HTMX, "HX-Current-URL": f"{SITE}{page}"} if page else HTMX
    response = client.post(address, headers=headers) if method == "post" else client.get(address, headers=headers)
    assert (response.status_code, response.content) == (200, b"")
    assert "no-store" in response.headers["Cache-Control"]
    target = urlsplit(str(response.headers["HX-Redirect"]))
    assert target.path == reverse("account_login")
    return "".join(parse_qs(target.query).get("next", []))


def test_a_page_that_asks_for_news_goes_to_sign_in(client: Client) -> None:
    page = reverse("kmp:request", args=["REQ-00000001"])
    assert next_of(client, f"{page}?seen=submitted", page=page) == page
    assert next_of(client, f"{page}?seen=submitted") == page


@pytest.mark.parametrize(
    ("name", "query"),
    [("kmp:inventory", "?status=active&q=a%2Fb"), ("kmp:requests", "?q=%C3%A9"), ("connect:store", "")],
)
def test_filters_come_back_to_what_was_filtered(client: Client, name: str, query: str) -> None:
    page = reverse(name)
    led = urlsplit(next_of(client, f"{page}?q=typed", page=f"{page}{query}"))
    assert led.path == page
    assert parse_qs(led.query) == parse_qs(query.removeprefix("?"))


def test_forms_of_the_portal_go_back_to_their_page_and_not_to_the_check(client: Client) -> None:
    project = make_project()
    place = [project.pk, Environment.SANDBOX]
    page, check = reverse("portal:paste_csr", args=place), reverse("portal:check_csr", args=place)
    assert next_of(client, check, page=page, method="post") == page
    clinic = reverse("portal:clinic")
    assert next_of(client, clinic, page=clinic, method="post") == clinic
    assert next_of(client, check, method="post") == "", "the check alone is no page"


@pytest.mark.parametrize("page", ["http://elsewhere.example/x", "http://[", "x", "javascript:alert(1)", "\\\\x"])
def test_an_odd_page_is_not_led_to(client: Client, page: str) -> None:
    response = client.get("/projects/", headers={**HTMX, "HX-Current-URL": page})
    assert response.headers["HX-Redirect"] == f"{LOGIN}?next=/projects/"


def test_browsers_and_whole_pages_from_the_history_are_redirected_as_ever(client: Client) -> None:
    for headers in ({}, {**HTMX, "HX-History-Restore-Request": "true"}):
        response = client.get("/projects/", headers=headers)
        assert (response.status_code, response.headers["Location"]) == (302, f"{LOGIN}?next=/projects/")


def test_public_pages_stay_public(client: Client) -> None:
    assert client.get(LOGIN, headers=HTMX).status_code == 200
