"""Support: what officers read about every application's names, with their own company's values."""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from certauthority.x509.csr_rules import judge_csr
from connect.models import Company, User
from kmp.dn_requirements import requirement_of, rules_of
from kmp.models import Application, DnAttribute, Review
from kmp.support import applications_shown
from tests.factories import make_company, make_user
from tests.kmp.factories import make_officer
from tests.page_text import text_of
from tests.portal.conftest import signed_in

SUPPORT = "/kmp/support/"
NAME = "O'Neil & Söns <b>"


@pytest.fixture
def company(db: None) -> Company:
    return make_company(name=NAME, cid="123456", country="IE", group_email="certificates@oneil.example")


@pytest.fixture
def officer(company: Company) -> User:
    return make_officer(company)


@pytest.fixture
def as_officer(officer: User) -> Client:
    return signed_in(officer)


def commands_on(page: str) -> list[str]:
    """The commands as a reader copies them."""
    return [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', page)]


@pytest.mark.usefixtures("applications")
class TestForOfficers:
    def test_it_tells_every_requirement_in_words_with_the_companys_values(self, as_officer: Client) -> None:
        text = text_of(as_officer.get(SUPPORT))
        assert f"with the values of {NAME}" in text
        for words in (
            "CN is “MTF XBS”.",
            "CN is “PROD XBS”.",
            "OU is “Cross-Border Services”.",
            f"O is the company’s name, “{NAME}”.",
            "C is the company’s country, “IE”. It may be left out.",
            "CN is “<unique>-A2A-MTF-123456”, where <unique> is yours to choose anew for each certificate, such as the "
            "seconds since 1970: letters, digits, “.”, “_” and “-”, and at most 64 characters in all.",
            "OU is yours to choose, such as “Card Operations”, with at most 64 characters, and stays the same in every "
            "renewal.",
            "The subject has C, O, OU and CN, and nothing else.",
            "The key is RSA 2048, RSA 3072, RSA 4096, EC P-256 or EC P-384.",
        ):
            assert words in text
        assert text.count("Reviewed by Key Management") == 1
        assert "These are sample values" not in text

    def test_it_tells_them_as_a_table(self, as_officer: Client) -> None:
        text = text_of(as_officer.get(SUPPORT))
        assert "CN Common name A pattern <unique>-Client-PROD-123456 64 characters" in text
        assert "OU Organisational unit Always the same A2A Commerce 64 characters" in text
        assert "C Country The company’s own May be left out IE 2 characters" in text
        assert "OU Organisational unit Free, and the same in every renewal Any text 64 characters" in text

    def test_nothing_that_a_company_is_called_becomes_markup(self, as_officer: Client) -> None:
        assert "Söns <b>" not in as_officer.get(SUPPORT).content.decode()

    def test_every_requirement_has_commands_for_every_tool(self, as_officer: Client) -> None:
        page = as_officer.get(SUPPORT).content.decode()
        commands = commands_on(page)
        for beginning in ("openssl req -new -newkey", "openssl req -new -key", "keytool -genkeypair", "@'"):
            assert sum(command.startswith(beginning) for command in commands) >= 10
        groups = re.findall(r'<input type="radio" name="([^"]+)" checked>', page)
        assert len(set(groups)) == len(groups) == 10
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(set(ids)) == len(ids)

    def test_a_shown_command_makes_a_request_that_fits(
        self, as_officer: Client, company: Company, applications: dict[str, Application], tmp_path: Path
    ) -> None:
        requirement = requirement_of(applications["transaction-api-client"], "production")
        assert requirement
        page = as_officer.get(SUPPORT).content.decode()
        command = next(
            text for text in commands_on(page) if "-nodes" in text and "transaction-api-client-prod-" in text
        )
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True, timeout=120)
        (csr,) = tmp_path.glob("*.csr")
        assert judge_csr(csr.read_bytes(), requirement=rules_of(requirement, company)).acceptable

    def test_a_closed_application_and_a_removed_attribute_are_told(self, as_officer: Client) -> None:
        Application.objects.filter(code="xbs-api-mtls").update(is_open=False, review=Review.MANUAL)
        DnAttribute.objects.filter(requirement__application__code="xbs-api-mtls", label__in=["OU", "C"]).delete()
        text = text_of(as_officer.get(SUPPORT))
        assert text.count("Closed for new requests") == 1
        assert text.count("Reviewed by Key Management") == 2
        assert text.count("The subject has O and CN, and nothing else.") == 2

    def test_a_company_without_country_or_verified_cid_reads_what_that_means(
        self, as_officer: Client, company: Company
    ) -> None:
        Company.objects.filter(pk=company.pk).update(country="", verified_at=None)
        text = text_of(as_officer.get(SUPPORT))
        assert "C is left out, as the company has no country here." in text
        assert "<unique>-Client-PROD-000000" in text
        assert "The subject has O, OU and CN, and nothing else." in text

    def test_what_cannot_be_met_is_said_instead_of_an_error(self, as_officer: Client, company: Company) -> None:
        Company.objects.filter(pk=company.pk).update(name="a\x07b")
        text = text_of(as_officer.get(SUPPORT))
        assert text.count("Nothing can be requested here") == 10
        assert "A company's name is 1 to 64 characters without control characters." in text

    def test_the_number_of_queries_does_not_grow(self, as_officer: Client) -> None:
        as_officer.get(SUPPORT)
        with CaptureQueriesContext(connection) as all_of_them:
            as_officer.get(SUPPORT)
        Application.objects.exclude(code="xbs-api-mtls").delete()
        with CaptureQueriesContext(connection) as one:
            as_officer.get(SUPPORT)
        assert len(one) == len(all_of_them)


def test_there_may_be_no_application_yet(as_officer: Client) -> None:
    assert "There is no application yet" in text_of(as_officer.get(SUPPORT))


def test_an_application_without_requirements_says_so(as_officer: Client, applications: dict[str, Application]) -> None:
    applications["xbs-api-mtls"].requirements.all().delete()
    assert "It has no requirements yet, so nothing can be requested." in text_of(as_officer.get(SUPPORT))


@pytest.mark.usefixtures("applications")
class TestWhoMayRead:
    def test_staff_who_are_no_officers_see_sample_values(self) -> None:
        staff = signed_in(make_user(is_staff=True, company=None))
        text = text_of(staff.get(SUPPORT))
        assert "These are sample values" in text
        assert "O is the company’s name, “Example Company Ltd”." in text

    def test_staff_who_are_officers_see_their_company(self, company: Company) -> None:
        text = text_of(signed_in(make_officer(company, is_staff=True)).get(SUPPORT))
        assert f"with the values of {NAME}" in text
        assert "These are sample values" not in text

    def test_nobody_else_may(self, company: Company, client: Client) -> None:
        colleague = signed_in(make_user(company=company)).get(SUPPORT)
        assert colleague.status_code == 403
        assert "Request access to it in the Store" in text_of(colleague)
        assert signed_in(make_user(company=None)).get(SUPPORT).status_code == 403
        assert client.get(SUPPORT).status_code == 302

    def test_it_only_answers_reading(self, as_officer: Client) -> None:
        assert as_officer.post(SUPPORT).status_code == 405


def test_applications_are_shown_by_name(applications: dict[str, Application], company: Company) -> None:
    shown = applications_shown(company=company, unique="7")
    names = [application.application.name for application in shown]
    assert names == sorted(names)
    assert [part.requirement.environment for part in shown[0].environments] == ["mtf", "production"]
