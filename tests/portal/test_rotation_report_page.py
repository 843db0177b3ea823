"""The page of the rotation report: every figure, in whose time, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from certauthority.models import Authority, ReasonCode
from portal.models import Credential, Project
from tests.connect.factories import move_clock
from tests.factories import let_expire, make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, page_url
from tests.portal.rotation_calls import OFFICE, called, end

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def old(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="old-one", now=NOON - timedelta(days=30))


@pytest.fixture
def new(old: Credential, project: Project) -> Credential:
    return make_credential(project, alias="new-one", predecessor=old, now=NOON - timedelta(days=3))


class TestPage:
    def test_every_figure_stands_on_it(self, as_bob: Client, old: Credential, new: Credential) -> None:
        now = timezone.now()
        called(old, 3000, 1200, now=now)
        called(new, 2640, 10, now=now)
        called(new, 2650, reason=ReasonCode.WRONG_ENVIRONMENT, now=now)
        let_expire(old, in_days=14)
        page = as_bob.get(credential_url("rotation_report", new))
        text = text_of(page)
        for words in (
            "old-one to new-one, Checkout API, Sandbox.",
            "Safe to revoke the old certificate",
            f"First use of the new {now - timedelta(minutes=2640):%-d %b %Y, %H:%M} UTC",
            f"Last use of the old {now - timedelta(minutes=1200):%-d %b %Y, %H:%M} UTC",
            "Overlap in use 1 day no gap",
            "The old one ends 14 days",
            "1 call refused since new-one was added",
            "0 with the old one, 1 with the new one.",
            f"{OFFICE} {now - timedelta(minutes=1200):%-d %b %Y, %H:%M} UTC 2 0",
            "has moved",
            "0 of 1 address still to move",
            "Rotation carried out by",
        ):
            assert words in text, words
        body = page.content.decode()
        assert body.count('<rect class="before" x=') == 2
        assert body.count('<rect class="use" x=') == 2
        assert "data-print" in body
        assert credential_url("rotation_json", new) in body
        assert credential_url("credential_revoke", old) not in body
        assert "clock is ahead" not in text

    def test_admins_are_led_to_the_revocation_of_the_old_one(
        self, as_alice: Client, old: Credential, new: Credential
    ) -> None:
        url = credential_url("rotation_report", new)
        assert credential_url("credential_revoke", old) in as_alice.get(url).content.decode()
        end(old)
        page = as_alice.get(url)
        assert credential_url("credential_revoke", old) not in page.content.decode()
        assert "The old certificate has ended: revoked" in text_of(page)

    def test_uses_are_real_time_and_ends_are_the_companys(
        self, as_alice: Client, project: Project, old: Credential, new: Credential
    ) -> None:
        called(old, 30)
        called(new, 20)
        let_expire(old, in_days=14)
        move_clock(project.company, timedelta(days=10))
        text = text_of(as_alice.get(credential_url("rotation_report", old)))
        assert "Calls are told in real time. Your company’s clock is ahead" in text
        assert "The old one ends 4 days" in text
        assert "The old certificate has been silent for 3" in text
        move_clock(project.company, timedelta(days=20))
        text = text_of(as_alice.get(credential_url("rotation_report", old)))
        assert "Safe to revoke the old certificate" in text
        assert "The old certificate has expired" in text

    def test_without_a_rotation_it_says_how_one_begins(
        self, as_alice: Client, as_bob: Client, project: Project, old: Credential
    ) -> None:
        page = as_alice.get(credential_url("rotation_report", old))
        assert page.status_code == 404
        assert "There is no rotation to report yet" in text_of(page)
        assert page_url("add_certificate", project, rotate=old.pk) in page.content.decode()
        page = as_bob.get(credential_url("rotation_report", old))
        assert page.status_code == 404
        assert "/add/" not in page.content.decode()

    def test_pages_lead_to_it(self, as_bob: Client, project: Project, old: Credential, new: Credential) -> None:
        url = credential_url("rotation_report", old)
        for page in (page_url("credentials", project), credential_url("credential", old), f"/projects/{project.pk}/"):
            assert url in as_bob.get(page).content.decode()

    def test_strangers_see_nothing_and_nothing_can_be_sent(
        self, as_charlie: Client, as_alice: Client, old: Credential, new: Credential
    ) -> None:
        for name in ("rotation_report", "rotation_json"):
            assert as_charlie.get(credential_url(name, new)).status_code == 404
            assert as_alice.post(credential_url(name, new)).status_code == 405
