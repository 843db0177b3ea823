"""My Projects: what runs out next over all projects."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from connect.models import User
from portal import revocation
from portal.models import Credential, Environment, Project
from portal.projects import delete_project
from tests.factories import let_expire, make_credential, make_many_credentials, make_project, make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in

URL = "/projects/"


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


def queries_of(client: Client) -> int:
    client.get(URL)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(URL).status_code == 200
    return len(queries)


def test_the_address_is_the_public_one() -> None:
    assert reverse("portal:projects") == URL


def test_without_a_project_it_offers_to_create_one(as_charlie: Client) -> None:
    page = as_charlie.get(URL)
    assert "You are on no project yet" in text_of(page)
    assert reverse("portal:project_create") in page.content.decode()


def test_an_account_without_a_company_is_told_why_it_has_none(db: None) -> None:
    page = signed_in(make_user(company=None)).get(URL)
    assert "Your account belongs to no company" in text_of(page)
    assert reverse("portal:project_create") not in page.content.decode()


def test_it_shows_only_the_projects_that_one_is_on(
    project: Project, as_bob: Client, as_charlie: Client, charlie: User
) -> None:
    make_project(admin=charlie, name="Payouts")
    assert "Checkout API Read-only" in text_of(as_bob.get(URL))
    charlies = text_of(as_charlie.get(URL))
    assert "Checkout API" not in charlies
    assert "Payouts Admin" in charlies


def test_a_deleted_project_is_gone(project: Project, as_alice: Client) -> None:
    delete_project(project, actor=Actor("factory"), now=project.created_at)
    assert "Checkout API" not in text_of(as_alice.get(URL))


def test_each_environment_says_what_it_has(project: Project, as_alice: Client) -> None:
    make_credential(project, Environment.SANDBOX)
    let_expire(make_credential(project, Environment.SANDBOX, alias="soon"), in_days=5)
    let_expire(make_credential(project, Environment.PRODUCTION, alias="old"), in_days=-1)
    text = text_of(as_alice.get(URL))
    assert "Sandbox credentials of Checkout API Expiring soon 2 live, the next expires on" in text
    assert "5 days left" in text
    assert "Production credentials of Checkout API Expired None live, 1 expired" in text


def test_an_environment_without_certificates_says_so(project: Project, as_alice: Client) -> None:
    assert "Production credentials of Checkout API No certificate yet" in text_of(as_alice.get(URL))


def test_the_figures_change_with_the_data(project: Project, as_alice: Client) -> None:
    assert "1 project, 0 live certificates." in text_of(as_alice.get(URL))
    credential = make_credential(project)
    assert "1 live certificate. Nothing runs out within 30 days" in text_of(as_alice.get(URL))
    let_expire(credential, in_days=30)
    assert "1 expires within 30 days and has no successor." in text_of(as_alice.get(URL))
    let_expire(credential, in_days=31)
    assert "Nothing runs out within 30 days" in text_of(as_alice.get(URL))
    let_expire(credential, in_days=-1)
    assert "0 live certificates. 1 has expired." in text_of(as_alice.get(URL))
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=credential.created_at)
    assert "1 project, 0 live certificates." in text_of(as_alice.get(URL))
    assert "expired" not in text_of(as_alice.get(URL))


def test_the_banner_names_the_certificate_that_expires_next_of_all(
    project: Project, alice: User, as_alice: Client
) -> None:
    let_expire(make_credential(project, alias="later"), in_days=20)
    other = make_project(admin=alice, name="Payouts")
    let_expire(make_credential(other, Environment.PRODUCTION, alias="sooner"), in_days=12)
    text = text_of(as_alice.get(URL))
    assert "12 days sooner expires on" in text
    assert "Payouts, Production" in text
    assert "Nothing is ready to take over." in text


def test_the_two_that_follow_have_a_line_each(project: Project, alice: User, as_alice: Client) -> None:
    other = make_project(admin=alice, name="Payouts")
    for alias, days in (("first", 12), ("second", 13), ("fourth", 90)):
        let_expire(make_credential(project, alias=alias), in_days=days)
    third = make_credential(other, Environment.PRODUCTION, alias="third")
    let_expire(third, in_days=14)
    text = text_of(as_alice.get(URL))
    assert "12 days first expires on" in text
    assert "13 days left second, Checkout API, Sandbox 14 days left third, Payouts, Production" in text
    assert "fourth" not in text
    let_expire(third, in_days=91)
    make_credential(project, alias="newer", predecessor=Credential.objects.get(alias="fourth"))
    assert "90 days left fourth, Checkout API, Sandbox; newer is live" in text_of(as_alice.get(URL))


def test_the_banner_names_a_successor_that_is_live(project: Project, as_alice: Client) -> None:
    old = make_credential(project, alias="old")
    let_expire(old, in_days=3)
    make_credential(project, alias="new", predecessor=old)
    text = text_of(as_alice.get(URL))
    assert "Its successor new is live." in text
    assert "has no successor" not in text


def test_an_expired_successor_is_no_comfort(project: Project, as_alice: Client) -> None:
    old = make_credential(project, alias="old")
    let_expire(old, in_days=3)
    let_expire(make_credential(project, alias="new", predecessor=old), in_days=-1)
    assert "1 expires within 30 days and has no successor." in text_of(as_alice.get(URL))


def test_on_the_last_day_there_is_no_day_left(project: Project, as_alice: Client) -> None:
    credential = make_credential(project)
    let_expire(credential, in_days=0)
    credential.certificate.refresh_from_db()
    end = credential.certificate.not_after
    type(credential.certificate).objects.filter(pk=credential.certificate_id).update(
        not_after=end.replace(hour=23, minute=59, second=59)
    )
    assert "0 days, the last one" in text_of(as_alice.get(URL))


def test_more_projects_and_certificates_cost_no_more_queries(project: Project, alice: User, as_alice: Client) -> None:
    make_many_credentials(project, 1)
    few = queries_of(as_alice)
    for number in range(8):
        for environment in Environment:
            make_many_credentials(make_project(admin=alice, name=f"More {number}"[:64] + environment), 3, environment)
    assert queries_of(as_alice) == few


def test_names_from_outside_are_shown_harmlessly(alice: User, as_alice: Client) -> None:
    make_project(admin=alice, name="<script>alert(1)</script>")
    assert b"<script>alert" not in as_alice.get(URL).content


def test_it_needs_a_sign_in(client: Client) -> None:
    assert client.get(URL)["Location"].startswith(reverse("account_login"))


def test_it_only_answers_reading(as_alice: Client) -> None:
    assert as_alice.post(URL).status_code == 405


def test_a_project_of_nobody_is_404(as_alice: Client) -> None:
    assert as_alice.get(reverse("portal:project", args=[uuid.uuid4()])).status_code == 404
