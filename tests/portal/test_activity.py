"""Activity: the audit log of a project, in words."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor, AuditedObject, record
from audit.models import AuditEvent
from certauthority.models import RevocationReason
from connect.models import User
from connect.templatetags.look import colon_hex
from portal import activity, revocation
from portal.models import Environment, Membership, Project, Role
from portal.projects import delete_project
from portal.team import change_role, invite, remove
from tests.factories import make_credential, make_many_credentials, make_project, make_user
from tests.page_text import text_of

ALICE = Actor("alice@acme.example", "192.0.2.7")


def url(project: Project) -> str:
    return f"/projects/{project.pk}/activity/"


def note(project: Project, action: str, **values: object) -> AuditEvent:
    on = AuditedObject(type="thing", id="1", label=str(values.pop("label", "thing")), project=str(project.pk))
    return record(action, actor=ALICE, on=on, now=timezone.now(), **values)  # type: ignore[arg-type]  # by test


def sentences_of(project: Project) -> list[str]:
    return [entry.sentence for entry in activity.page_of(project).entries]


@pytest.mark.usefixtures("authorities")
def test_what_people_do_is_said_in_words(project: Project, alice: User) -> None:
    now = timezone.now()
    eve = make_user(email="eve@acme.example", company=alice.company)
    member = invite(project, email=eve.email, role=Role.READ_ONLY, actor=ALICE, now=now)
    change_role(member, role=Role.ADMIN, actor=ALICE, now=now)
    remove(Membership.objects.get(pk=member.pk), actor=ALICE, now=now)
    credential = make_credential(project, Environment.PRODUCTION, alias="checkout")
    (foreign,) = make_many_credentials(project, 1)
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=ALICE, now=now)
    revocation.end(foreign, reason=RevocationReason.SUPERSEDED, actor=ALICE, now=now)
    delete_project(project, actor=ALICE, now=now)
    assert sentences_of(project) == [
        "Deleted the project Checkout API",
        f"Ended the use of the certificate {foreign.alias}",
        "Revoked the certificate checkout",
        "Added the certificate checkout to Production",
        "Took eve@acme.example (Admin) off the team",
        "Made eve@acme.example Admin",
        "Invited eve@acme.example as Read-only",
        "Created the project Checkout API",
    ]


def test_who_when_and_from_where_are_shown(project: Project, as_alice: Client) -> None:
    event = note(project, "project.created", label="Checkout API")
    text = text_of(as_alice.get(url(project)))
    assert f"alice@acme.example from 192.0.2.7 {event.at:%-d %b %Y, %H:%M} UTC" in text


def test_before_and_after_are_shown(project: Project, as_alice: Client) -> None:
    note(project, "member.role-changed", before={"member": "x", "role": "Admin"}, after={"member": "x", "role": "No"})
    assert "Role: Admin → No" in text_of(as_alice.get(url(project)))


@pytest.mark.usefixtures("authorities")
def test_a_new_certificate_is_named_whole(project: Project, as_bob: Client) -> None:
    credential = make_credential(project)
    text = text_of(as_bob.get(url(project)))
    assert "Added by: Upload a CSR" in text
    assert f"Common name: {credential.certificate.common_name}" in text
    assert f"Serial number: {colon_hex(credential.certificate.serial)}" in text
    assert f"Expires: {credential.certificate.not_after:%-d %b %Y, %H:%M} UTC" in text


def test_an_action_without_words_is_shown_plainly(project: Project, as_alice: Client) -> None:
    note(project, "thing.polished", label="<b>lamp</b>", before={"shine": 1}, after={"shine": 2, "new_part": None})
    page = as_alice.get(url(project))
    assert "thing.polished <b>lamp</b>" in text_of(page)
    assert "Shine: 1 → 2" in text_of(page)
    assert "<b>lamp</b>" not in page.content.decode()


def test_an_event_that_lacks_a_value_is_shown_plainly(project: Project) -> None:
    note(project, "member.invited", label="Checkout API")
    assert sentences_of(project)[0] == "member.invited Checkout API"


def test_braces_in_names_are_only_text(project: Project) -> None:
    note(project, "credential.revoked", label="{0} {member} {label.__class__}")
    assert sentences_of(project)[0] == "Revoked the certificate {0} {member} {label.__class__}"


def test_pages_follow_one_another_without_gap_or_repeat(project: Project, as_alice: Client) -> None:
    for number in range(activity.EVENTS_ON_PAGE * 2):
        note(project, "step", label=f"number-{number}")
    seen: list[str] = []
    address = url(project)
    for _ in range(3):
        page = as_alice.get(address)
        seen += re.findall(r"number-\d+", text_of(page))
        # Whatever happens meanwhile comes before the first page, and shifts nothing.
        note(project, "meanwhile")
        older = page.context["page"].older
        address = f"{url(project)}?before={older}"
    assert older is None
    assert seen == [f"number-{number}" for number in reversed(range(activity.EVENTS_ON_PAGE * 2))]
    assert "Newest" in text_of(page)


def test_the_last_event_of_a_full_page_offers_no_empty_one(project: Project, as_alice: Client) -> None:
    for _ in range(activity.EVENTS_ON_PAGE - 1):
        note(project, "step")
    assert "Older" not in text_of(as_alice.get(url(project)))
    note(project, "step")
    assert "Older" in text_of(as_alice.get(url(project)))


@pytest.mark.parametrize("before", ["1", "x", "0' OR 1=1", "0f8fad5b-d9cb-469f-a165-70867728950e"])
def test_a_reference_of_no_event_of_the_project_is_404(project: Project, as_alice: Client, before: str) -> None:
    assert as_alice.get(url(project), {"before": before}).status_code == 404


def test_other_projects_stay_out_of_it(project: Project, charlie: User, as_alice: Client) -> None:
    other = make_project(admin=charlie, name="Payouts")
    event = AuditEvent.objects.get(project=str(other.pk))
    assert "Payouts" not in text_of(as_alice.get(url(project)))
    assert as_alice.get(url(project), {"before": str(event.reference)}).status_code == 404
    assert as_alice.get(url(other)).status_code == 404


def test_readers_may_look(project: Project, as_bob: Client) -> None:
    assert "Created the project Checkout API" in text_of(as_bob.get(url(project)))


def test_more_events_cost_no_more_queries(project: Project, as_alice: Client) -> None:
    as_alice.get(url(project))
    with CaptureQueriesContext(connection) as few:
        as_alice.get(url(project))
    for _ in range(60):
        note(project, "step")
    with CaptureQueriesContext(connection) as many:
        as_alice.get(url(project))
    assert len(many) == len(few)


def test_it_only_answers_reading(project: Project, as_alice: Client) -> None:
    assert as_alice.post(url(project)).status_code == 405
