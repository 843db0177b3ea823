"""The page that the signed link of a mail leads to: it asks, then it acts, and it says no more than the mail did."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import RevocationReason
from connect.expiry.snooze import snooze, snooze_url
from connect.expiry.sources import lifetime_of
from kmp.lifetimes import watched as watched_entry
from portal import revocation
from portal.lifetimes import watched
from portal.models import Credential, Membership, Role
from tests.connect.factories import move_clock
from tests.factories import let_expire, make_company, make_credential, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_officer
from tests.page_text import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]

ALICE = "alice@acme.example"


@pytest.fixture
def credential() -> Credential:
    alice = make_user(email=ALICE, name="Alice Marlow", company=make_company(name="Acme Payments Ltd"))
    return make_credential(make_project(admin=alice, name="Checkout API"), alias="payouts")


@pytest.fixture
def url(credential: Credential) -> str:
    return path_of(watched(credential), ALICE)


def path_of(name: str, address: str) -> str:
    lifetime = lifetime_of(name)
    assert lifetime is not None
    return urlsplit(snooze_url(lifetime, address)).path


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def until(credential: Credential) -> str:
    credential.refresh_from_db()
    return credential.snoozed_until.isoformat() if credential.snoozed_until else ""


def test_it_asks_and_changes_nothing(client: Client, url: str, credential: Credential) -> None:
    let_expire(credential, in_days=12)
    page = client.get(url)
    text = text_of(page)
    for value in ("payouts", credential.certificate.common_name, "Sandbox, Checkout API", "12 days left", ALICE):
        assert value in text
    assert "None is live" in text
    assert page["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert until(credential) == ""


def test_it_snoozes_without_signing_in(client: Client, url: str, credential: Credential) -> None:
    response = client.post(url, {"until": in_days(9)}, REMOTE_ADDR="192.0.2.7")
    assert (response.status_code, response["Location"]) == (HTTPStatus.FOUND, url)
    assert until(credential) == in_days(9)
    assert credential.snoozed_by == ALICE
    event = AuditEvent.objects.get(action="credential.snoozed")
    assert (event.actor, event.address) == (ALICE, "192.0.2.7")
    text = text_of(client.get(url))
    assert "Snoozed until" in text
    assert "Wake up now" in text


def test_it_wakes_up(client: Client, url: str, credential: Credential) -> None:
    client.post(url, {"until": in_days(9)})
    assert client.post(url, {"wake": "1"}).status_code == HTTPStatus.FOUND
    assert until(credential) == ""
    assert "Snoozed until" not in text_of(client.get(url))


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("", "Choose the day from which notices come again."),
        ("tomorrow", "Give a day as 2027-01-31."),
        ("2020-01-31", "Choose a day that is still to come:"),
        ("9999-12-31", "Choose a day until"),
        ("2027-02-30", "Give a day as 2027-01-31."),
    ],
)
def test_a_wrong_day_is_named_and_kept(
    client: Client, url: str, credential: Credential, typed: str, error: str
) -> None:
    page = client.post(url, {"until": typed})
    assert page.status_code == HTTPStatus.OK
    assert error in text_of(page)
    assert not typed or f'value="{typed}"' in page.content.decode()
    assert until(credential) == ""


def test_it_does_not_say_who_else_snoozed_it(client: Client, url: str, credential: Credential) -> None:
    lifetime = lifetime_of(watched(credential))
    assert lifetime is not None
    day = (timezone.now() + timedelta(days=9)).date()
    snooze(lifetime, until=day, by="bob@acme.example", actor=Actor("bob@acme.example"), now=timezone.now())
    text = text_of(client.get(url))
    assert "Snoozed until" in text
    assert "bob@acme.example" not in text
    assert "Alice Marlow" not in text


def test_a_live_successor_is_named_as_the_mail_does(client: Client, url: str, credential: Credential) -> None:
    make_credential(credential.project, alias="payouts-new", predecessor=credential)
    assert "payouts-new is live" in text_of(client.get(url))


def test_a_successor_that_has_expired_is_said_to(client: Client, url: str, credential: Credential) -> None:
    let_expire(make_credential(credential.project, alias="payouts-new", predecessor=credential), in_days=-1)
    text = text_of(client.get(url))
    assert "payouts-new has expired" in text
    assert "is live" not in text


def test_days_are_counted_by_the_companys_clock_and_it_says_so(
    client: Client, url: str, credential: Credential
) -> None:
    let_expire(credential, in_days=200)
    assert "clock of Acme" not in text_of(client.get(url))
    move_clock(credential.project.company, timedelta(days=190))
    text = text_of(client.get(url))
    assert "10 days left" in text
    assert "clock of Acme Payments Ltd, which was moved ahead to" in text


def test_a_link_that_is_too_old_says_so(client: Client, url: str, credential: Credential) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=121), tick=False):
        for page in (client.get(url), client.post(url, {"until": in_days(9)})):
            assert page.status_code == HTTPStatus.GONE
            assert "can be used for 120 days" in text_of(page)
    assert until(credential) == ""


@pytest.mark.parametrize("change", ["cut", "longer", "another text", "endless"])
def test_a_link_that_is_not_ours_says_nothing_of_a_certificate(
    client: Client, url: str, credential: Credential, change: str
) -> None:
    forged = {
        "cut": url[:-6] + "/",
        "longer": url[:-1] + "A/",
        "another text": "/connect/snooze/payouts/",
        "endless": f"/connect/snooze/{'A' * 5000}/",
    }[change]
    for page in (client.get(forged), client.post(forged, {"until": in_days(9)})):
        assert page.status_code == HTTPStatus.NOT_FOUND
        assert "This link is not whole" in text_of(page)
        assert "payouts" not in text_of(page)
    assert until(credential) == ""


def test_after_the_end_there_is_nothing_to_snooze(client: Client, url: str, credential: Credential) -> None:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor(ALICE), now=timezone.now())
    for page in (client.get(url), client.post(url, {"until": in_days(9)})):
        assert page.status_code == HTTPStatus.GONE
        assert "This certificate has ended" in text_of(page)
        assert "payouts" not in text_of(page)
    assert until(credential) == ""


@pytest.mark.parametrize("change", ["read-only", "off the team", "inactive"])
def test_who_is_told_no_more_cannot_snooze_any_more(
    client: Client, url: str, credential: Credential, change: str
) -> None:
    make_member(credential.project, Role.ADMIN, email="dora@acme.example")
    membership = Membership.objects.select_related("user").get(project=credential.project, user__email=ALICE)
    if change == "read-only":
        membership.role = Role.READ_ONLY
        membership.save(update_fields=["role"])
    elif change == "off the team":
        membership.delete()
    else:
        membership.user.is_active = False
        membership.user.save(update_fields=["is_active"])
    for page in (client.get(url), client.post(url, {"until": in_days(9)})):
        assert page.status_code == HTTPStatus.FORBIDDEN
        assert "no longer go to this address" in text_of(page)
        assert "payouts" not in text_of(page)
    assert until(credential) == ""


def test_the_group_address_of_kmp_can_snooze(client: Client) -> None:
    company = make_company(group_email="certificates@acme.example")
    make_officer(company)
    entry = make_entry(company)
    url = path_of(watched_entry(entry), "certificates@acme.example")
    assert client.post(url, {"until": in_days(9)}).status_code == HTTPStatus.FOUND
    entry.refresh_from_db()
    assert entry.snoozed_until is not None
    assert (entry.snoozed_until.isoformat(), entry.snoozed_by) == (in_days(9), "certificates@acme.example")
    company.group_email = ""
    company.save(update_fields=["group_email"])
    assert client.get(url).status_code == HTTPStatus.FORBIDDEN


def test_a_post_from_elsewhere_is_refused(url: str, credential: Credential) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(url, {"until": in_days(9)}).status_code == HTTPStatus.FORBIDDEN
    token = client.get(url).context["csrf_token"]
    client.post(url, {"until": in_days(9), "csrfmiddlewaretoken": str(token)})
    assert until(credential) == in_days(9)
