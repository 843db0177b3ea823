"""The CSR clinic: verdicts, the corrected command, a preview; nothing stored."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority import issuance
from certauthority.errors import IssuerEnding
from certauthority.models import Authority, Certificate, PublicKey
from certauthority.records import facts_of
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from portal.models import Credential, Environment, Project
from tests.factories import make_credential, make_csr, make_project, make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.portal.credential_pages import PRIVATE_KEY, SENTENCE, file_of, key_lines

URL = "/clinic/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """What a preview shows is the real CA's."""


def filled(project: Project | None = None, **fields: Any) -> dict[str, Any]:
    return {"project": str(project.pk) if project else "", "environment": "sandbox", **fields}


def test_it_offers_the_projects_of_the_person_only(alice: User, project: Project) -> None:
    make_project(name="Foreign project")
    text = text_of(signed_in(alice).get(URL))
    assert "Checkout API" in text
    assert "Foreign project" not in text
    assert "Nothing is stored." in text


def test_without_a_project_it_judges_structure_signature_and_key(as_charlie: Client) -> None:
    csr = build_request([("CN", "anything")], new_private_key()).decode()
    text = text_of(as_charlie.post(URL, filled(csr=csr)))
    assert "The CSR is signed with its own key" in text
    assert "Pattern of the common name" not in text
    assert "This would be issued" not in text


def test_with_a_project_it_shows_the_certificate_that_would_be_issued(as_bob: Client, project: Project) -> None:
    csr = make_csr(project, unique="17")
    text = text_of(as_bob.post(URL, filled(project, csr=csr.decode())))
    credential = make_credential(project, csr=csr)
    facts = facts_of(credential.certificate)
    preview = text.partition("This would be issued")[2].partition("Rules")[0]
    assert facts.subject.text in preview
    assert facts.issuer.text in preview
    assert f"{facts.not_after:%-d %b %Y}" in preview
    assert f"{', '.join(facts.key_usage)}, critical" in preview
    assert ", ".join(facts.extended_key_usage) in preview
    assert facts.crl_urls[0] in preview
    assert facts.ca_issuer_urls[0] in preview
    assert "EC P-256" in preview


def test_the_serial_number_decides_which_of_several_crls_it_will_name(
    as_bob: Client, project: Project, settings: Settings
) -> None:
    settings.CRL_SHARDS = 16
    text = text_of(as_bob.post(URL, filled(project, csr=make_csr(project, unique="17").decode())))
    begin = "http://127.0.0.1:8000/ca/developers/"
    assert f"CRL {begin}1.crl to {begin}16.crl, by its serial number" in text.replace("\u200b", "")


def test_an_rsa_key_is_previewed_with_its_usage(as_bob: Client, project: Project) -> None:
    csr = make_csr(project, key=new_private_key(rsa_bits=2048))
    text = text_of(as_bob.post(URL, filled(project, csr_file=file_of(csr))))
    assert "digitalSignature, keyEncipherment, critical" in text


def test_the_environment_counts(as_bob: Client, project: Project) -> None:
    csr = make_csr(project, Environment.PRODUCTION).decode()
    text = text_of(as_bob.post(URL, filled(project, csr=csr)))
    assert "Pattern of the common name house rule Broken" in text
    assert "The corrected command" in text
    assert "-Client-MTF-123456" in text
    assert "This would be issued" in text_of(
        as_bob.post(URL, {**filled(project, csr=csr), "environment": "production"})
    )


def test_a_duplicate_is_told(as_bob: Client, project: Project) -> None:
    csr = make_csr(project)
    make_credential(project, csr=csr, alias="the-twin")
    text = text_of(as_bob.post(URL, filled(project, csr=csr.decode())))
    assert "Duplicate certificate" in text
    assert "the-twin" in text
    assert "This would be issued" not in text


def test_nothing_is_stored(as_bob: Client, project: Project) -> None:
    def everything() -> tuple[int, ...]:
        return tuple(model._default_manager.count() for model in (Certificate, Credential, PublicKey, AuditEvent))

    before = everything()
    as_bob.post(URL, filled(project, csr=make_csr(project).decode()))
    assert everything() == before


def test_htmx_gets_the_findings_alone(as_bob: Client, project: Project) -> None:
    response = as_bob.post(URL, filled(project, csr=make_csr(project).decode()), headers=HTMX)
    body = response.content.decode()
    assert '<div class="stack" id="findings">' in body
    assert "<!doctype" not in body
    assert "HX-Request" in response["Vary"]
    assert "This would be issued" in body


def test_with_a_project_alone_it_shows_rules_and_commands(as_bob: Client, project: Project) -> None:
    text = text_of(as_bob.post(URL, filled(project), headers=HTMX))
    assert "Ready commands" in text
    assert "Nothing checked yet" in text


def test_it_asks_for_a_request(as_bob: Client, project: Project) -> None:
    assert "Paste the text of a CSR, or choose a file." in text_of(as_bob.post(URL, filled(project)))


def test_the_project_of_somebody_else_is_no_choice(as_charlie: Client, project: Project) -> None:
    text = text_of(as_charlie.post(URL, filled(project, csr=make_csr(project).decode())))
    assert "Choose one of your projects." in text
    assert "Acme Payments Ltd" not in text.partition("Checkout API")[0]
    assert "This would be issued" not in text


def test_odd_fields_are_no_error_of_ours(as_bob: Client) -> None:
    for fields in ({"environment": "x"}, {"project": "x"}, {"csr": "\x00"}, {"csr": "nonsense"}, {}):
        assert as_bob.post(URL, {**filled(), **fields}).status_code == 200
        assert as_bob.post(URL, {**filled(), **fields}, headers=HTMX).status_code == 200


def test_a_private_key_is_named_and_not_shown(
    as_bob: Client, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for where in (project, None):
        for fields in ({"csr": PRIVATE_KEY}, {"csr_file": file_of(PRIVATE_KEY)}):
            response = as_bob.post(URL, filled(where, **fields))
            assert SENTENCE in text_of(response)
            assert not [line for line in key_lines() if line in response.content.decode() or line in caplog.text]


def test_a_large_file_is_refused_by_its_size(as_bob: Client) -> None:
    assert "at most 64 KiB are taken" in text_of(as_bob.post(URL, filled(csr_file=file_of(b"x" * 70_000))))
    assert "at most 64 KiB are taken" in text_of(
        as_bob.post(URL, filled(csr_file=file_of(b"x" * 70_000)), headers=HTMX)
    )


def test_a_ca_that_ends_too_soon_is_told(as_bob: Client, project: Project, caplog: pytest.LogCaptureFixture) -> None:
    csr = make_csr(project).decode()

    def ending(*_: object, **__: object) -> None:
        raise IssuerEnding("The CA ends before that.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(issuance, "validity", ending)
        text = text_of(as_bob.post(URL, filled(project, csr=csr)))
    assert "The CA ends before that." in text
    assert "IssuerEnding" in caplog.text


def test_an_account_without_a_company_may_use_it(db: None) -> None:
    csr = build_request([("CN", "anything")], new_private_key()).decode()
    response = signed_in(make_user(company=None)).post(URL, filled(csr=csr))
    assert "The CSR is signed with its own key" in text_of(response)


def test_it_needs_a_sign_in(client: Client, db: None) -> None:
    assert client.get(URL)["Location"].startswith("/accounts/login/")


def test_other_methods_are_refused(as_bob: Client) -> None:
    assert as_bob.put(URL).status_code == 405
