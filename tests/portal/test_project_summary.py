"""Project summary: what one project has, and what runs out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, CertificateUse, RevocationReason
from connect.models import Company, User
from portal import revocation
from portal.models import Environment, Project
from portal.overview import ROWS_ON_SUMMARY, summary_of
from tests.factories import let_expire, make_credential, make_many_credentials, make_project, make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


def url(project: Project) -> str:
    return f"/projects/{project.pk}/"


def read(client: Client, project: Project) -> str:
    return text_of(client.get(url(project)))


def alerts_of(client: Client, project: Project) -> list[str]:
    page = client.get(url(project)).content.decode().partition("<main")[2].partition("</main>")[0]
    return [part.split("</div>")[0] for part in page.split('<div class="alert ')[1:]]


def test_it_names_company_cid_and_role(project: Project, as_alice: Client, as_bob: Client) -> None:
    assert "Acme Payments Ltd, CID 123456. You are an admin of this project." in read(as_alice, project)
    assert "You are a read-only member of this project." in read(as_bob, project)


def test_an_unverified_company_learns_what_certificates_carry(project: Project, as_alice: Client) -> None:
    Company.objects.update(verified_at=None)
    assert "no verified CID: certificates carry 000000" in read(as_alice, project)


def test_strangers_see_nothing(project: Project, as_charlie: Client) -> None:
    assert as_charlie.get(url(project)).status_code == 404


def test_an_empty_project_says_how_to_begin(project: Project, as_alice: Client, as_bob: Client) -> None:
    assert "No certificate yet" in read(as_alice, project)
    assert f"{url(project)}sandbox/add/" in as_alice.get(url(project)).content.decode()
    assert "An admin of this project can add one." in read(as_bob, project)


def test_readers_are_offered_nothing_that_changes(project: Project, as_alice: Client, as_bob: Client) -> None:
    let_expire(make_credential(project), in_days=3)
    for way in ("/add/", "/delete/"):
        assert way in as_alice.get(url(project)).content.decode()
        assert way not in as_bob.get(url(project)).content.decode()


def test_the_figures_change_with_the_data(project: Project, as_alice: Client) -> None:
    first = make_credential(project, alias="first")
    text = read(as_alice, project)
    assert "Live certificates 1 1 Sandbox, 0 Production" in text
    assert "Last used Never" in text
    let_expire(make_credential(project, Environment.PRODUCTION, alias="second"), in_days=7)
    CertificateUse.objects.create(
        certificate=first.certificate, first_used_at=timezone.now(), last_used_at=timezone.now()
    )
    text = read(as_alice, project)
    assert "Live certificates 2 1 Sandbox, 1 Production" in text
    assert "Next expiry 7 days second" in text
    assert "Last used Just now first" in text
    revocation.end(first, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    assert "Live certificates 1 0 Sandbox, 1 Production" in read(as_alice, project)


def test_the_table_says_each_certificate_in_words(project: Project, as_alice: Client) -> None:
    old = make_credential(project, alias="old")
    let_expire(old, in_days=9)
    new = make_credential(project, alias="new", predecessor=old)
    lone = make_credential(project, Environment.PRODUCTION, alias="lone")
    let_expire(lone, in_days=-2)
    text = read(as_alice, project)
    assert f"old {old.certificate.common_name} Sandbox Expiring soon in rotation" in text
    assert "9 days left new takes over" in text
    assert f"new {new.certificate.common_name} Sandbox Active in rotation" in text
    assert f"lone {lone.certificate.common_name} Production Expired" in text
    assert "2 days ago No successor" in text


def test_revoked_certificates_are_not_in_the_table(project: Project, as_alice: Client) -> None:
    make_credential(project)
    gone = make_credential(project, alias="gone-with-the-wind")
    revocation.end(gone, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    assert "gone-with-the-wind" not in read(as_alice, project)


class TestAlerts:
    def test_none_while_nothing_runs_out(self, project: Project, as_alice: Client) -> None:
        let_expire(make_credential(project), in_days=31)
        assert alerts_of(as_alice, project) == []

    def test_one_for_what_expires_soon_without_a_successor(self, project: Project, as_alice: Client) -> None:
        soon = make_credential(project, alias="soon")
        let_expire(soon, in_days=30)
        (alert,) = alerts_of(as_alice, project)
        assert alert.startswith("warn")
        assert "soon expires on" in alert
        assert f"{url(project)}sandbox/add/?rotate={soon.pk}" in alert

    def test_none_once_a_successor_is_live(self, project: Project, as_alice: Client) -> None:
        soon = make_credential(project)
        let_expire(soon, in_days=30)
        new = make_credential(project, predecessor=soon)
        assert alerts_of(as_alice, project) == []
        revocation.end(new, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
        assert len(alerts_of(as_alice, project)) == 1

    def test_one_for_what_has_expired(self, project: Project, as_alice: Client) -> None:
        old = make_credential(project, alias="old")
        let_expire(old, in_days=-1)
        (alert,) = alerts_of(as_alice, project)
        assert alert.startswith("bad")
        assert "old expired on" in alert

    def test_several_are_counted_and_the_first_named(self, project: Project, as_bob: Client) -> None:
        make_many_credentials(project, 5, not_after=timezone.now() + timedelta(days=5))
        (alert,) = alerts_of(as_bob, project)
        assert "5 certificates expire within 30 days and have no successor" in alert
        assert alert.count("<a ") == 3
        assert "and more in the table below" in alert


def test_other_projects_do_not_count(project: Project, alice: User, as_alice: Client) -> None:
    let_expire(make_credential(make_project(admin=alice)), in_days=2)
    assert "No certificate yet" in read(as_alice, project)


def test_ten_thousand_certificates_take_no_more_queries(project: Project, as_alice: Client) -> None:
    make_many_credentials(project, 2)
    as_alice.get(url(project))
    with CaptureQueriesContext(connection) as few:
        as_alice.get(url(project))
    make_many_credentials(project, 9_998)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as many:
        page = as_alice.get(url(project))
    assert len(many) <= len(few)
    assert f"The first {ROWS_ON_SUMMARY} of 10000." in text_of(page)


def test_aliases_and_names_from_outside_are_shown_harmlessly(project: Project, as_alice: Client) -> None:
    make_many_credentials(project, 1, common_name="<img src=x>\u202egnp")
    page = as_alice.get(url(project)).content.decode()
    assert "<img src=x>" not in page
    assert "U+202E" in page


def test_the_next_expiry_may_be_today(project: Project) -> None:
    (credential,) = make_many_credentials(project, 1)
    now = timezone.now().replace(hour=12)
    credential.certificate.not_after = now.replace(hour=18)
    credential.certificate.save()
    summary: Any = summary_of(project, now=now, real_now=now)
    assert summary.next.days_left == 0
    assert summary.ending_count == 1


def test_it_needs_a_place_on_the_team_even_for_staff(project: Project) -> None:
    assert signed_in(make_user(is_staff=True, is_superuser=True)).get(url(project)).status_code == 404


def test_it_only_answers_reading(project: Project, as_alice: Client) -> None:
    assert as_alice.post(url(project)).status_code == 405
