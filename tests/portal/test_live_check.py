"""The check while a form is being filled: the verdicts of a submit, and nothing stored."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from certauthority.models import Authority, Certificate, PublicKey
from certauthority.x509.requests import build_request, new_private_key
from portal.models import Credential, Project
from tests.factories import make_credential, make_csr
from tests.page_text import text_of
from tests.portal.credential_pages import PRIVATE_KEY, SENTENCE, file_of, key_lines, page_url, sent
from tests.portal.foreign_ca import ForeignCa

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def url(project: Project) -> str:
    return page_url("check_csr", project)


def rules_on(response: Any) -> list[tuple[str, str]]:
    body = response.content.decode()
    return re.findall(r'<li class="(bad|ok|info)" data-rule="([a-z.-]+)">', body)


def test_the_page_asks_for_the_check_without_filters(as_alice: Client, project: Project, url: str) -> None:
    body = as_alice.get(page_url("paste_csr", project)).content.decode()
    assert f'hx-post="{url}"' in body
    assert 'hx-trigger="input delay:500ms"' in body


@pytest.mark.parametrize("good", [True, False])
def test_the_verdicts_are_those_of_a_submit(as_alice: Client, url: str, project: Project, good: bool) -> None:
    make_credential(project, csr=make_csr(project, unique="17"))
    csr = (make_csr(project, unique="17") if good else build_request([("CN", "x")], new_private_key())).decode()
    checked = as_alice.post(url, {"csr": csr, "alias": ""}, headers=HTMX)
    submitted = as_alice.post(page_url("paste_csr", project), sent(csr=csr))
    assert rules_on(checked) == rules_on(submitted)
    assert len(rules_on(checked)) > 20
    assert ("Duplicate certificate" in text_of(checked)) == good


def test_it_answers_with_the_fragment_alone(as_alice: Client, url: str, project: Project) -> None:
    body = as_alice.post(url, {"csr": make_csr(project).decode()}, headers=HTMX).content.decode()
    assert '<div class="stack" id="judgement">' in body
    assert 'id="commands" aria-labelledby="commands-title" hx-swap-oob="true"' in body
    assert "<!doctype" not in body


def test_nothing_is_stored(as_alice: Client, url: str, project: Project) -> None:
    before = (Certificate.objects.count(), PublicKey.objects.count(), AuditEvent.objects.count())
    as_alice.post(url, {"csr": make_csr(project).decode()}, headers=HTMX)
    as_alice.post(url, {"csr_file": file_of(make_csr(project))}, headers=HTMX)
    assert before == (Certificate.objects.count(), PublicKey.objects.count(), AuditEvent.objects.count())
    assert not Credential.objects.exists()


def test_a_chosen_file_is_judged(as_alice: Client, url: str, project: Project) -> None:
    assert ("ok", "dn.duplicate") in rules_on(as_alice.post(url, {"csr_file": file_of(make_csr(project))}))


def test_without_a_request_it_shows_the_rules_and_commands_for_the_alias(as_alice: Client, url: str) -> None:
    text = text_of(as_alice.post(url, {"csr": "", "alias": "pay outs"}))
    assert "Nothing checked yet" in text
    assert "-keyout pay-outs.key" in text
    assert "-keyout pay-outs.key" not in text_of(as_alice.post(url, {"alias": "pay/outs"}))


def test_a_large_file_is_refused_by_its_size(as_alice: Client, url: str) -> None:
    assert "at most 64 KiB are taken" in text_of(as_alice.post(url, {"csr_file": file_of(b"x" * 70_000)}))


def test_a_private_key_is_named_and_not_shown(as_alice: Client, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for fields in ({"csr": PRIVATE_KEY}, {"csr_file": file_of(PRIVATE_KEY)}):
        response = as_alice.post(url, fields)
        assert SENTENCE in text_of(response)
        assert not [line for line in key_lines() if line in response.content.decode() or line in caplog.text]


def test_a_private_key_as_alias_is_not_shown(as_alice: Client, url: str) -> None:
    body = as_alice.post(url, {"alias": PRIVATE_KEY, "csr": ""}).content.decode()
    assert not [line for line in key_lines() if line in body]


def test_a_certificate_is_checked_in_the_same_way(as_alice: Client, project: Project) -> None:
    content = ForeignCa().client_certificate()
    checked = as_alice.post(page_url("check_certificate", project), {"certificate_file": file_of(content)})
    submitted = as_alice.post(page_url("upload_certificate", project), sent(certificate_file=file_of(content)))
    assert ("bad", "chain.trusted") in rules_on(checked)
    assert rules_on(checked) == rules_on(submitted)
    assert not Certificate.objects.filter(authority=None).exists()


@pytest.mark.parametrize("name", ["check_csr", "check_certificate"])
def test_who_may_use_it(as_alice: Client, as_bob: Client, as_charlie: Client, project: Project, name: str) -> None:
    url = page_url(name, project)
    assert as_alice.get(url).status_code == 405
    assert as_bob.post(url).status_code == 403
    assert as_charlie.post(url).status_code == 404
