"""Whoever is refused an object or a page is in the audit log, and cannot fill it."""

from __future__ import annotations

import logging
import re
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisAway

from audit.models import AuditEvent
from certauthority.models import Authority
from connect import denials
from portal.models import Project
from tests.factories import make_credential, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_officer

pytestmark = pytest.mark.django_db
_TOKEN = re.compile(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"\w+"')


def refusals() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action__startswith="access.denied").order_by("id"))


@pytest.fixture
def project(authorities: dict[str, Authority]) -> Project:
    return make_project(name="Checkout API")


@pytest.fixture
def stranger(client: Client) -> Client:
    client.force_login(make_user(email="mallory@globex.example"))
    return client


def test_anothers_certificate_is_refused_like_a_missing_one_and_both_are_recorded_alike(
    project: Project, stranger: Client
) -> None:
    credential = make_credential(project, alias="payouts")
    answers = []
    for project_id, credential_id in ((project.pk, credential.pk), (uuid4(), uuid4())):
        url = reverse("portal:credential", args=[project_id, "sandbox", credential_id])
        response = stranger.get(url)
        text = _TOKEN.sub("", response.content.decode()).replace(url, "")
        answers.append((response.status_code, text))
        event = refusals()[-1]
        assert (event.action, event.actor, event.address) == ("access.denied", "mallory@globex.example", "127.0.0.1")
        assert (event.object_type, event.object_label) == ("address", "GET portal:credential")
        assert event.object_id == str(credential_id)
        assert event.after == {
            "status": 404,
            "project_id": str(project_id),
            "environment": "sandbox",
            "credential_id": str(credential_id),
        }
        assert event.project == "", "it is in no project's activity"
        assert event.company != str(project.company_id), "nor with the company that was asked about"
    assert answers[0] == answers[1]
    assert len(refusals()) == 2


@pytest.mark.parametrize("page", ["kmp:entry", "kmp:entry_revoke"])
def test_another_companys_certificate_of_the_inventory(authorities: dict[str, Authority], page: str) -> None:
    entry, officer = make_entry(make_user().company), make_officer()
    client = Client()
    client.force_login(officer)
    assert client.get(reverse(page, args=[entry.reference])).status_code == 404
    (event,) = refusals()
    assert (event.actor, event.object_label, event.after["reference"]) == (
        officer.email,
        f"GET {page}",
        entry.reference,
    )
    assert event.company == str(officer.company_id)


def test_a_role_that_does_not_suffice_is_recorded_with_403(project: Project) -> None:
    client = Client()
    client.force_login(make_member(project, email="bob@acme.example"))
    assert client.post(reverse("portal:project_delete", args=[project.pk])).status_code == 403
    (event,) = refusals()
    assert (event.object_label, event.after["status"]) == ("POST portal:project_delete", 403)


def test_its_own_project_shows_no_refusal(project: Project, stranger: Client) -> None:
    stranger.get(reverse("portal:project", args=[project.pk]))
    admin = Client()
    admin.force_login(project.memberships.order_by("pk")[0].user)
    assert "mallory" not in admin.get(reverse("portal:activity", args=[project.pk])).content.decode()


def test_what_is_no_refusal_is_not_recorded(project: Project, stranger: Client) -> None:
    assert stranger.get("/nothing/here/").status_code == 404
    assert stranger.get(reverse("portal:projects")).status_code == 200
    assert Client().get(reverse("portal:project", args=[project.pk])).status_code == 302
    assert refusals() == []


def test_an_address_with_a_secret_in_it_is_not_recorded(stranger: Client) -> None:
    url = reverse("connect:calendar_feed", kwargs={"calendar_secret": "x" * 43})
    assert stranger.get(url).status_code == 404
    assert refusals() == []


def test_a_scanner_cannot_fill_the_log(
    project: Project, stranger: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DENIALS_AN_HOUR = 3
    for _ in range(8):
        assert stranger.get(reverse("portal:project", args=[uuid4()])).status_code == 404
    assert [event.action for event in refusals()] == [*["access.denied"] * 3, "access.denied-often"]
    lines = [
        line.message for line in caplog.records if line.name == denials.__name__ and line.levelno == logging.WARNING
    ]
    assert len(lines) == 8, "the log of the web server has every one"
    other = Client()
    other.force_login(make_user(email="eve@globex.example"))
    other.get(reverse("portal:project", args=[project.pk]))
    assert refusals()[-1].actor == "eve@globex.example", "each person is counted alone"


def test_without_redis_every_refusal_is_recorded(
    stranger: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DENIALS_AN_HOUR = 1

    def away(*arguments: object, **named: object) -> None:
        raise RedisAway

    monkeypatch.setattr(cache, "add", away)
    for _ in range(3):
        stranger.get(reverse("portal:project", args=[uuid4()]))
    assert [event.action for event in refusals()] == ["access.denied"] * 3


def test_a_log_that_cannot_be_written_changes_no_answer(
    stranger: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(denials, "record", broken)
    assert stranger.get(reverse("portal:project", args=[uuid4()])).status_code == 404
    assert "A refusal could not be written to the audit log: DatabaseError" in caplog.text
