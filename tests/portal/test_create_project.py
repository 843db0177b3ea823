"""Create a project."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from connect.models import User
from portal.models import Membership, Project, Role
from tests.factories import make_project, make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.x509.certificates_made import ec_key, private_pem

URL = "/projects/new/"


def test_it_creates_a_project_of_the_persons_company(alice: User, as_alice: Client) -> None:
    answer = as_alice.post(URL, {"name": "Payouts"}, follow=True)
    project = Project.objects.get()
    assert answer.redirect_chain == [(f"/projects/{project.pk}/", 302)]
    assert project.company == alice.company
    assert Membership.objects.get(project=project, user=alice).role == Role.ADMIN
    assert "Payouts was created." in text_of(answer)
    event = AuditEvent.objects.get(action="project.created")
    assert (event.actor, event.address) == ("alice@acme.example", "127.0.0.1")


def test_the_form_is_shown(as_alice: Client) -> None:
    text = text_of(as_alice.get(URL))
    assert "It belongs to Acme Payments Ltd, and you are its first admin." in text


def test_spaces_are_made_single_ones(as_alice: Client) -> None:
    as_alice.post(URL, {"name": "  Card\u00a0 Controls "})
    assert Project.objects.get().name == "Card Controls"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give the project a name."),
        ("   ", "Give the project a name."),
        ("x" * 65, "at most 64 characters"),
        ("Pay\x00outs", "U+0000"),
        ("Pay\u202eouts", "U+202E"),
        ("Pay\nouts", "U+000A"),
    ],
)
def test_a_bad_name_changes_nothing_and_is_kept(as_alice: Client, name: str, sentence: str) -> None:
    answer = as_alice.post(URL, {"name": name})
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert answer.context["form"]["name"].value() == name
    assert not Project.objects.exists()


def test_a_private_key_is_not_shown_again(as_alice: Client) -> None:
    key = private_pem(ec_key(904)).decode()
    answer = as_alice.post(URL, {"name": key})
    assert answer.status_code == 200
    assert key.splitlines()[1] not in answer.content.decode()
    assert not Project.objects.exists()


def test_a_name_that_the_company_has_is_refused(as_alice: Client, alice: User) -> None:
    make_project(admin=alice, name="Payouts")
    answer = as_alice.post(URL, {"name": "payouts"})
    assert "Acme Payments Ltd has a project called payouts already." in text_of(answer)
    assert 'value="payouts"' in answer.content.decode()
    assert Project.objects.count() == 1


def test_the_same_form_sent_twice_creates_one(as_alice: Client) -> None:
    as_alice.post(URL, {"name": "Payouts"})
    assert as_alice.post(URL, {"name": "Payouts"}).status_code == 200
    assert Project.objects.count() == 1


def test_two_companies_may_use_the_same_name(as_alice: Client, as_charlie: Client) -> None:
    as_alice.post(URL, {"name": "Payouts"})
    as_charlie.post(URL, {"name": "Payouts"})
    assert Project.objects.filter(name="Payouts").count() == 2


def test_an_account_without_a_company_creates_none(db: None) -> None:
    client = signed_in(make_user(company=None))
    assert "Your account belongs to no company" in text_of(client.get(URL))
    assert "Your account belongs to no company" in text_of(client.post(URL, {"name": "Payouts"}))
    assert not Project.objects.exists()


def test_reading_creates_nothing(as_alice: Client) -> None:
    as_alice.get(URL, {"name": "Payouts"})
    assert not Project.objects.exists()
    assert as_alice.put(URL).status_code == 405


def test_it_needs_a_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(URL, {"name": "Payouts"}).status_code == 403
    assert not Project.objects.exists()


def test_it_needs_a_sign_in(client: Client) -> None:
    assert client.post(URL, {"name": "Payouts"})["Location"].startswith(reverse("account_login"))
