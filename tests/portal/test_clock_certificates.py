"""Certificates added while the company's clock is ahead: how long new ones last, and which uploads are accepted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority import trust
from certauthority.lint import lint_certificate
from certauthority.models import Authority
from certauthority.records import facts_of
from certauthority.x509.profile import add_months
from connect.lifecycle import days_left
from connect.models import User
from portal.models import Credential, Project
from tests.connect.factories import move_clock
from tests.factories import make_credential, make_csr, make_project
from tests.page_text import text_of
from tests.portal.credential_pages import file_of, made_in_browser, page_url, sent
from tests.portal.foreign_ca import ForeignCa

YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


class TestNewCertificates:
    @pytest.mark.parametrize("way", ["paste", "browser"])
    def test_one_begins_in_real_time_and_lasts_13_months_by_the_companys_clock(
        self, as_alice: Client, project: Project, way: str
    ) -> None:
        move_clock(project.company, YEAR)
        real = timezone.now().replace(microsecond=0)
        if way == "paste":
            as_alice.post(page_url("paste_csr", project), sent(csr=make_csr(project).decode()))
        else:
            as_alice.post(page_url("generate_key", project), made_in_browser(project))
        made = Credential.objects.get()
        facts = facts_of(made.certificate)
        assert real - timedelta(hours=1) <= facts.not_before <= timezone.now() - timedelta(hours=1)
        end = [add_months(moment + YEAR, 13) for moment in (real, timezone.now())]
        assert end[0] <= facts.not_after <= end[1]
        assert made.certificate.not_after == facts.not_after
        assert real <= made.created_at <= timezone.now()
        assert lint_certificate(facts.der) == []

    def test_those_of_another_company_last_13_months_from_today(self, project: Project, charlie: User) -> None:
        move_clock(project.company, YEAR)
        made = make_credential(make_project(admin=charlie))
        assert made.certificate.not_after <= add_months(timezone.now(), 13)

    def test_the_page_that_makes_the_key_says_until_when(self, as_alice: Client, project: Project) -> None:
        address = page_url("generate_key", project)
        assert "by the company’s clock" not in text_of(as_alice.get(address))
        move_clock(project.company, YEAR)
        page = as_alice.get(address)
        assert f"{add_months(timezone.now() + YEAR, 13):%-d %B %Y}, 13 months by the company’s clock" in text_of(page)
        shown = datetime.fromtimestamp(page.context["server_now"] / 1000, UTC)
        assert abs(shown - timezone.now()) < timedelta(minutes=5), "copies of keys in the browser keep real time"

    def test_the_clinic_shows_the_certificate_as_it_would_be(self, as_alice: Client, project: Project) -> None:
        form = {"project": str(project.pk), "environment": "sandbox", "csr": make_csr(project).decode()}
        address = reverse("portal:clinic")
        assert "company’s clock" not in text_of(as_alice.post(address, form))
        move_clock(project.company, YEAR)
        page = as_alice.post(address, form)
        preview = page.context["preview"]
        assert preview.not_before < timezone.now()
        assert preview.not_after.date() == add_months(timezone.now() + YEAR, 13).date()
        assert preview.days == days_left(preview.not_after, now=timezone.now() + YEAR)
        assert f"{preview.days} days counted from" in text_of(page)
        assert f"{timezone.now() + YEAR:%-d %b %Y}" in text_of(page)

    def test_the_message_says_when_it_expires(self, as_alice: Client, project: Project) -> None:
        move_clock(project.company, YEAR)
        form = sent(csr=make_csr(project).decode())
        text = text_of(as_alice.post(page_url("paste_csr", project), form, follow=True))
        assert f"It expires on {Credential.objects.get().certificate.not_after:%-d %B %Y}." in text

    def test_a_ca_that_ends_too_soon_for_the_clock_is_told(self, as_alice: Client, project: Project) -> None:
        # The CA is five years old and lasts for fifteen.
        move_clock(project.company, timedelta(days=365 * 9 + 30))
        form = sent(csr=make_csr(project).decode())
        text = text_of(as_alice.post(page_url("paste_csr", project), form))
        assert "which the company’s clock shows, would. Staff must create" in text
        assert "or the company must start its clock over" in text
        assert not Credential.objects.exists()


class TestUploads:
    """A certificate of another CA must be valid by the company's clock."""

    @pytest.fixture
    def elsewhere(self, db: None) -> ForeignCa:
        ca = ForeignCa()
        trust.add(ca.pem, note="", actor=Actor("staff@rehearsal.example"), now=timezone.now())
        return ca

    def test_one_that_has_expired_by_it_is_refused_and_the_clock_is_named(
        self, as_alice: Client, project: Project, elsewhere: ForeignCa
    ) -> None:
        move_clock(project.company, YEAR)
        form = sent(certificate_file=file_of(elsewhere.client_certificate(), "c.pem"))
        text = text_of(as_alice.post(page_url("upload_certificate", project), form))
        real = timezone.now()
        assert "One rule is broken" in text
        assert f"an end after {real + YEAR:%Y-%m-%d}" in text
        assert f"(the company’s clock; real time is {real:%Y-%m-%d}" in text
        assert not Credential.objects.exists()

    def test_it_is_accepted_in_real_time_and_no_clock_is_spoken_of(
        self, as_alice: Client, project: Project, elsewhere: ForeignCa
    ) -> None:
        content = elsewhere.client_certificate()
        check = {"certificate_file": file_of(content, "c.pem")}
        assert "clock" not in text_of(as_alice.post(page_url("check_certificate", project), check))
        form = sent(certificate_file=file_of(content, "c.pem"))
        assert "payouts was added." in text_of(
            as_alice.post(page_url("upload_certificate", project), form, follow=True)
        )

    def test_one_that_begins_later_in_real_time_is_accepted_once_the_clock_is_there(
        self, as_alice: Client, project: Project, elsewhere: ForeignCa
    ) -> None:
        address, content = page_url("upload_certificate", project), elsewhere.client_certificate(begins_in_days=30)
        refused = text_of(as_alice.post(address, sent(certificate_file=file_of(content, "c.pem"))))
        assert "One rule is broken" in refused
        move_clock(project.company, timedelta(days=31))
        form = sent(certificate_file=file_of(content, "c.pem"))
        assert "payouts was added." in text_of(as_alice.post(address, form, follow=True))

    def test_a_chain_that_has_expired_by_it_is_refused(
        self, as_alice: Client, project: Project, elsewhere: ForeignCa
    ) -> None:
        move_clock(project.company, timedelta(days=3600))
        form = sent(certificate_file=file_of(elsewhere.client_certificate(), "c.pem"))
        text = text_of(as_alice.post(page_url("upload_certificate", project), form))
        assert re.search(r"Elsewhere Root\S* expired", text)
        assert "(by the company’s clock, which shows" in text
        assert "(the company’s clock; real time is" in text
