"""`Generate a new private key`: a request that is repeated makes one certificate."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority, Certificate, RevocationReason
from certauthority.x509.requests import new_private_key
from connect.models import User
from portal import revocation
from portal.models import Credential, CredentialMethod, Environment, Project
from tests.factories import make_credential, make_csr, make_project
from tests.portal.credential_pages import made_in_browser, page_url


@pytest.fixture
def url(authorities: dict[str, Authority], project: Project) -> str:
    return page_url("generate_key", project)


def test_the_same_submission_is_answered_with_the_same_certificate(
    as_alice: Client, url: str, project: Project
) -> None:
    form = made_in_browser(project)
    first = as_alice.post(url, form)
    again = as_alice.post(url, form)
    assert again.status_code == 200
    assert again.json() == first.json()
    issued = Certificate.objects.filter(authority__name="developers", ocsp_responder=None)
    assert Credential.objects.count() == issued.count() == 1
    assert AuditEvent.objects.filter(action="credential.added").count() == 1


def test_another_alias_or_environment_is_no_matter(as_alice: Client, url: str, project: Project) -> None:
    form = made_in_browser(project)
    first = as_alice.post(url, form).json()
    for address in (url, page_url("generate_key", project, Environment.PRODUCTION)):
        assert as_alice.post(address, {**form, "alias": "other"}).json() == first
    assert Credential.objects.get().alias == "payouts"


def test_a_new_csr_of_the_same_key_is_no_matter(as_alice: Client, url: str, project: Project) -> None:
    key = new_private_key()
    form = made_in_browser(project, csr=make_csr(project, key=key).decode())
    first = as_alice.post(url, form).json()
    assert as_alice.post(url, {**form, "csr": make_csr(project, key=key).decode()}).json() == first


@pytest.mark.parametrize("csr", ["another", "nonsense"])
def test_another_key_is_refused(as_alice: Client, url: str, project: Project, csr: str) -> None:
    form = made_in_browser(project)
    as_alice.post(url, form)
    other = make_csr(project).decode() if csr == "another" else csr
    response = as_alice.post(url, {**form, "csr": other})
    assert response.status_code == 409
    (sentence,) = response.json()["errors"][""]
    assert sentence.startswith("This submission made payouts before, for another key. Nothing was added.")
    assert Credential.objects.count() == 1


def test_a_submission_of_another_form_is_refused(as_alice: Client, url: str, project: Project) -> None:
    form = made_in_browser(project)
    as_alice.post(page_url("paste_csr", project), form)
    assert as_alice.post(url, form).status_code == 409
    assert Credential.objects.get().method == CredentialMethod.PASTED_CSR


def test_a_submission_of_another_project_is_refused(as_alice: Client, url: str, project: Project, alice: User) -> None:
    form = made_in_browser(project)
    as_alice.post(url, form)
    other = make_project(admin=alice, name="Other")
    response = as_alice.post(page_url("generate_key", other), {**form, "csr": make_csr(other).decode()})
    assert response.status_code == 422
    (sentence,) = response.json()["errors"][""]
    assert sentence.startswith("This form was sent before, for another project.")
    assert "payouts" not in response.content.decode()
    assert Credential.objects.count() == 1


def test_once_the_certificate_has_ended_it_says_so(as_alice: Client, url: str, project: Project) -> None:
    form = made_in_browser(project)
    first = as_alice.post(url, form).json()
    credential = Credential.objects.get()
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    credential.refresh_from_db()
    again = as_alice.post(url, form)
    assert again.status_code == 200
    assert again.json()["certificates"] == first["certificates"]
    assert again.json()["credential"]["ended"] == (
        f"payouts ended on {credential.ended_at:%-d %B %Y at %H:%M} UTC (Revoked). What connects with it is "
        "refused, so its keystore is of no use. Create another certificate."
    )
    assert Credential.objects.count() == 1


def test_it_is_answered_although_the_predecessor_has_ended(as_alice: Client, url: str, project: Project) -> None:
    old = make_credential(project, alias="old-one")
    form, address = made_in_browser(project), page_url("generate_key", project, rotate=old.pk)
    first = as_alice.post(address, form).json()
    revocation.end(old, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    assert as_alice.post(address, form).json() == first
