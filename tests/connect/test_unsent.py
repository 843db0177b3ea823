"""A form that was sent when its session had ended: nothing typed is lost, and nobody else sees it."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from importlib import import_module
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from connect import unsent
from connect.models import User
from portal.models import Project
from tests.connect.second_factor_steps import give_password
from tests.factories import make_company, make_user
from tests.hostile.secrets_made import EC_KEY

pytestmark = pytest.mark.django_db

PAGE = "/accounts/unsent/"
NAME = "Checkout “API” <é>\r\nand more"


@pytest.fixture
def alice() -> User:
    return make_user(email="alice@acme.example", company=make_company())


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    give_password(client, alice)
    return client


def end_all() -> None:
    """The time of every session is over."""
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))


def sent_too_late(browser: Client, address: str, **fields: object) -> str:
    """Where sign-in leads after this form."""
    end_all()
    response = browser.post(address, fields)
    assert response.status_code == 302
    return parse_qs(urlsplit(response.headers["Location"]).query)["next"][0]


def offered(page: str) -> tuple[str, dict[str, str]]:
    """Address and fields of the form that is offered, as a browser reads them."""
    address = re.search(r'<form method="post" action="([^"]+)">', page[page.index('id="typed"') :])
    assert address is not None
    fields = re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    return html.unescape(address[1]), {html.unescape(name): html.unescape(value) for name, value in fields}


def test_what_was_typed_is_offered_after_sign_in_and_sent(browser: Client, alice: User) -> None:
    address = reverse("portal:project_create")
    assert sent_too_late(browser, f"{address}?from=list", name="Checkout API", description=NAME) == PAGE
    assert not Project.objects.exists()
    give_password(browser, alice)
    page = browser.get(PAGE).content.decode()
    assert "Your session had ended when you sent this form. Nothing of it was stored." in page
    assert f'<dt>Goes to</dt><dd class="mono">{address}?from=list</dd>' in page.replace("<wbr>", "")
    target, fields = offered(page)
    assert (target, fields) == (f"{address}?from=list", {"name": "Checkout API", "description": NAME})
    assert browser.post(target, fields).status_code == 302
    assert Project.objects.get().name == "Checkout API"
    assert browser.get(PAGE).headers["Location"] == reverse("home"), "it is offered once"


def test_sign_in_says_why(browser: Client) -> None:
    sent_too_late(browser, reverse("portal:project_create"), name="Checkout API")
    page = browser.get(f"/accounts/login/?next={PAGE}").content.decode()
    assert "Your session has ended" in page


def test_who_lets_go_of_it_is_not_asked_again(browser: Client, alice: User) -> None:
    sent_too_late(browser, reverse("portal:project_create"), name="Checkout API")
    give_password(browser, alice)
    assert browser.post(PAGE).headers["Location"] == reverse("home")
    assert browser.get(PAGE).headers["Location"] == reverse("home")
    assert not Project.objects.exists()


def test_a_session_that_ends_once_more_keeps_it_once_more(browser: Client, alice: User) -> None:
    address = reverse("portal:project_create")
    sent_too_late(browser, address, name="Checkout API")
    give_password(browser, alice)
    target, fields = offered(browser.get(PAGE).content.decode())
    assert sent_too_late(browser, target, **fields) == PAGE
    give_password(browser, alice)
    assert offered(browser.get(PAGE).content.decode()) == (address, {"name": "Checkout API"})


def test_another_person_at_the_same_browser_sees_nothing_of_it(browser: Client) -> None:
    sent_too_late(browser, reverse("portal:project_create"), name="Checkout API")
    give_password(browser, make_user(email="bob@acme.example"))
    assert browser.get(PAGE).headers["Location"] == reverse("home")


def test_the_database_holds_it_encrypted(browser: Client) -> None:
    sent_too_late(browser, reverse("portal:project_create"), name="Very unusual name")
    (row,) = Session.objects.filter(expire_date__gt=timezone.now())
    assert "unsent_form" in row.get_decoded()
    assert "unusual" not in str(row.get_decoded())


def test_passwords_codes_and_files_are_not_kept(browser: Client, alice: User) -> None:
    sent_too_late(
        browser,
        reverse("portal:project_create"),
        name="Checkout API",
        password="secret-1",
        oldpassword="secret-2",
        code="123456",
        credential="secret-3",
        note="kept",
        csr_file=SimpleUploadedFile("request.csr", b"secret-4"),
    )
    give_password(browser, alice)
    page = browser.get(PAGE).content.decode()
    assert offered(page)[1] == {"name": "Checkout API", "note": "kept"}
    assert "Not kept: Csr file, Password, Oldpassword, Code, Credential." in page
    assert "secret-" not in page


def test_a_private_key_that_a_view_would_have_refused_itself_is_not_kept(alice: User) -> None:
    key = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    request = RequestFactory().post("/somewhere/", {"name": key, "note": "kept"})
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    assert unsent.keep(request, user=str(alice.pk))
    found = unsent.kept(request, alice)
    assert found is not None
    assert (found.fields, found.left_out) == ([("note", "kept")], ["name"])


def test_what_nobody_types_is_not_kept(browser: Client) -> None:
    address = reverse("portal:project_create")
    assert sent_too_late(browser, address, name="x" * (unsent.MAX_CHARACTERS + 1)) == address


def test_without_a_session_that_has_ended_nothing_is_kept(alice: User) -> None:
    stranger = Client()
    response = stranger.post(reverse("portal:project_create"), {"name": "Checkout API"})
    assert parse_qs(urlsplit(response.headers["Location"]).query)["next"] == [reverse("portal:project_create")]
    assert not Session.objects.exists()


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "application/json"}], ids=["htmx", "json"])
def test_scripts_are_answered_as_ever(browser: Client, headers: dict[str, str]) -> None:
    end_all()
    response = browser.post(reverse("portal:clinic"), {"csr": "x"}, headers=headers)
    assert PAGE not in str(response.headers)


def test_without_its_token_nothing_is_kept(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    end_all()
    assert browser.post(reverse("portal:project_create"), {"name": "Checkout API"}).status_code == 403
    assert not Session.objects.filter(expire_date__gt=timezone.now()).exists()
