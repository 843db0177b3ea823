"""The picture on `Project summary`, as the page shows it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, Certificate, RevocationReason
from connect.expiry.timeline import MOST_BARS
from portal import revocation
from portal.models import Environment, Project
from tests.connect.factories import move_clock
from tests.factories import let_expire, make_credential, make_many_credentials, make_project
from tests.page_text import text_of


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


def picture(client: Client, project: Project) -> str:
    """The card with the picture, without the runs of spaces of its template; empty where there is none."""
    body = client.get(reverse("portal:project", args=[project.pk])).content.decode()
    found = re.search(r'<section class="card stack" id="timeline".*?</section>', body, re.DOTALL)
    return " ".join(found[0].split()) if found else ""


def bars(client: Client, project: Project) -> list[str]:
    """The classes of the bars and gaps that are drawn, without those of the legend."""
    return re.findall(r'<rect class="bar ([a-z]*)" x=', picture(client, project))


def in_days(days: int) -> str:
    return f"{timezone.now() + timedelta(days=days):%-d %b %Y}"


def test_without_a_certificate_there_is_none(project: Project, as_alice: Client) -> None:
    assert picture(as_alice, project) == ""


def test_it_follows_the_certificates(project: Project, as_alice: Client) -> None:
    first = make_credential(project, alias="first")
    assert bars(as_alice, project) == ["ok", "gap"]
    let_expire(first, in_days=9)
    assert bars(as_alice, project) == ["warn", "gap"]
    assert f"Gap from {in_days(9)}" in picture(as_alice, project)
    second = make_credential(project, alias="second", predecessor=first)
    assert bars(as_alice, project) == ["warn", "mine", "gap"]
    assert f"Gap from {in_days(9)}" not in picture(as_alice, project)
    assert 'class="overlap"' in picture(as_alice, project)
    assert "first and second overlap from" in picture(as_alice, project)
    let_expire(first, in_days=-2)
    assert bars(as_alice, project) == ["past", "gap", "mine", "gap"], "the successor came two days late"
    revocation.end(second, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    assert bars(as_alice, project) == ["past", "gap"]
    assert f"Gap since {in_days(-2)}" in picture(as_alice, project)
    revocation.end(first, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    assert picture(as_alice, project) == ""


def test_it_has_a_name_and_its_facts_in_words(project: Project, as_alice: Client) -> None:
    let_expire(make_credential(project, Environment.PRODUCTION, alias="payouts-prod"), in_days=40)
    shown = picture(as_alice, project)
    assert 'role="img" aria-labelledby="timeline-title" aria-describedby="timeline-text"' in shown
    end = timezone.now() + timedelta(days=40)
    assert f"payouts-prod: no certificate from {end:%-d %B %Y}." in shown
    assert "style=" not in shown
    page = text_of(as_alice.get(reverse("portal:project", args=[project.pk])))
    assert f"40 days left Gap from {in_days(40)}" in page, "the table below says the same"


def test_it_moves_with_the_companys_clock(project: Project, as_alice: Client) -> None:
    let_expire(make_credential(project), in_days=100)
    assert f"Today, {timezone.now():%-d %b}" in picture(as_alice, project)
    assert bars(as_alice, project) == ["ok", "gap"]
    move_clock(project.company, timedelta(days=80))
    assert f"Today, {timezone.now() + timedelta(days=80):%-d %b}" in picture(as_alice, project)
    assert bars(as_alice, project) == ["warn", "gap"]
    move_clock(project.company, timedelta(days=21))
    assert bars(as_alice, project) == ["past", "gap"]


def test_the_clock_of_another_company_moves_nothing(project: Project, as_alice: Client) -> None:
    make_credential(project)
    before = picture(as_alice, project)
    move_clock(make_project().company, timedelta(days=400))
    assert picture(as_alice, project) == before


def test_of_many_it_shows_those_that_expire_next(project: Project, as_alice: Client) -> None:
    make_many_credentials(project, MOST_BARS, not_after=timezone.now() + timedelta(days=60))
    assert "that expire next" not in picture(as_alice, project)
    (last,) = make_many_credentials(project, 1, not_after=timezone.now() + timedelta(days=61))
    shown = picture(as_alice, project)
    assert f"These are the {MOST_BARS} that expire next." in shown
    assert last.alias not in shown
    assert reverse("portal:credentials", args=[project.pk, "production"]) in shown
    Certificate.objects.filter(pk=last.certificate_id).update(not_after=timezone.now() + timedelta(days=59))
    assert last.alias in picture(as_alice, project)


def test_what_expired_long_ago_is_left_to_the_table(project: Project, as_alice: Client) -> None:
    let_expire(make_credential(project, alias="ancient"), in_days=-70)
    make_credential(project, alias="fresh")
    assert "ancient" not in picture(as_alice, project)
    assert "fresh" in picture(as_alice, project)


def test_long_aliases_are_cut_in_the_picture_and_whole_in_the_table(project: Project, as_alice: Client) -> None:
    alias = "settlement-" * 5 + "eu-west-2"
    make_credential(project, alias=alias)
    shown = picture(as_alice, project)
    assert f'<tspan class="wide">{alias[:47]}…</tspan><tspan class="slim">{alias[:19]}…</tspan>' in shown
    assert alias in text_of(as_alice.get(reverse("portal:project", args=[project.pk])))


def test_names_are_no_markup(project: Project, as_alice: Client) -> None:
    (credential,) = make_many_credentials(project, 1)
    credential.alias = "</text><script>alert(1)\u202e"
    credential.save(update_fields=["alias"])
    shown = picture(as_alice, project)
    assert "<script" not in shown
    assert "U+202E" in shown
