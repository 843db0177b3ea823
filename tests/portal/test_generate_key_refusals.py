"""`Generate a new private key`: everything that is refused, and in which words."""

from __future__ import annotations

import json
import logging
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from certauthority import signers
from certauthority.errors import SigningUnavailable
from certauthority.models import Authority, RevocationReason
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from portal import revocation
from portal.models import Credential, Project
from tests.factories import make_credential, make_csr, subject_for
from tests.portal.credential_pages import PRIVATE_KEY, SENTENCE, key_lines, made_in_browser, page_url


@pytest.fixture
def url(authorities: dict[str, Authority], project: Project) -> str:
    return page_url("generate_key", project)


def test_an_empty_form_names_everything_that_is_missing(as_alice: Client, url: str) -> None:
    response = as_alice.post(url)
    assert response.status_code == 422
    assert response.json() == {
        "errors": {
            "alias": ["Give the certificate an alias."],
            "csr": ["The CSR is missing. Open the page again and create the certificate anew."],
            "": [
                "This request does not say which submission it is. Open the page again and create the certificate anew."
            ],
        },
        "verdicts": [],
    }


VERSION_1 = "c232ab00-9414-11ec-b3c8-9f6bdeced846"  # RFC 9562, A.1


@pytest.mark.parametrize("submission", ["", "x", "0", str(uuid.UUID(int=0)), VERSION_1, "9" * 6000, "\x00"])
def test_a_submission_is_a_random_uuid(as_alice: Client, url: str, project: Project, submission: str) -> None:
    response = as_alice.post(url, made_in_browser(project, submission=submission))
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [""]
    assert not Credential.objects.exists()


@pytest.mark.parametrize("alias", ["a/b", "é", "x" * 65, "a\nb", "\u202e", ""])
def test_a_bad_alias_is_refused_at_its_field(as_alice: Client, url: str, project: Project, alias: str) -> None:
    response = as_alice.post(url, made_in_browser(project, alias=alias))
    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["alias"]
    assert not Credential.objects.exists()


def test_a_taken_alias_is_refused_at_its_field(as_alice: Client, url: str, project: Project) -> None:
    make_credential(project, alias="Payouts")
    response = as_alice.post(url, made_in_browser(project))
    assert response.status_code == 422
    assert response.json()["errors"] == {
        "alias": [
            "The alias payouts names another certificate of Sandbox that is still live. Choose another alias, for "
            "example with the year in it."
        ]
    }


def test_broken_rules_are_told_with_what_was_found_and_wanted(as_alice: Client, url: str, project: Project) -> None:
    csr = build_request([("O", "Elsewhere Ltd"), *subject_for(project)[2:]], new_private_key()).decode()
    response = as_alice.post(url, made_in_browser(project, csr=csr))
    assert response.status_code == 422
    answer = response.json()
    assert answer["errors"] == {"csr": ["One rule is broken: see the table of rules."]}
    assert (
        answer["verdicts"] == [{"title": "Organisation", "found": "O=Elsewhere Ltd", "wanted": "O=Acme Payments Ltd"}]
        or answer["verdicts"][0]["title"] == "Organisation"
    )


def test_every_mistake_is_told_at_once(as_alice: Client, url: str, project: Project) -> None:
    answer = as_alice.post(url, made_in_browser(project, alias="a/b", csr="nonsense")).json()
    assert answer["errors"]["csr"][0].startswith("No CSR that can be read was found in this.")
    assert set(answer["errors"]) == {"alias", "csr"}
    assert answer["verdicts"]


def test_the_subject_of_another_live_certificate_is_refused(as_alice: Client, url: str, project: Project) -> None:
    make_credential(project, csr=make_csr(project, unique="17"))
    response = as_alice.post(url, made_in_browser(project, csr=make_csr(project, unique="17").decode()))
    assert response.status_code == 422
    (verdict,) = response.json()["verdicts"]
    assert verdict["found"] == "duplicate certificate: another live credential has this subject"


def test_a_predecessor_that_has_ended_is_refused(as_alice: Client, url: str, project: Project) -> None:
    old = make_credential(project, alias="old-one")
    revocation.end(old, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    response = as_alice.post(page_url("generate_key", project, rotate=old.pk), made_in_browser(project))
    assert response.status_code == 422
    answer = response.json()
    assert "has ended meanwhile" in answer["errors"][""][0]
    assert "press “Create certificate” again" in answer["errors"][""][1]
    assert answer["address"] == url
    assert not Credential.objects.exclude(pk=old.pk).exists()


def test_a_ca_that_cannot_sign_is_said_so(
    as_alice: Client, url: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(authority: Authority) -> None:
        raise SigningUnavailable("The key of the CA cannot be opened now.")

    form = made_in_browser(project)
    with monkeypatch.context() as patched:
        patched.setattr(signers, "signer_of", refuse)
        response = as_alice.post(url, form)
    assert response.status_code == 503
    assert response.json() == {
        "errors": {"": ["The key of the CA cannot be opened now. Nothing was stored."]},
        "verdicts": [],
    }
    assert response["Cache-Control"] == "no-store"
    assert as_alice.post(url, form).status_code == 200, "the same submission succeeds afterwards"


@pytest.mark.parametrize("field", ["alias", "submission", "csr", "unknown"])
def test_a_private_key_is_named_and_seen_nowhere(
    as_alice: Client, url: str, project: Project, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    caplog.set_level(logging.DEBUG)
    for content in (PRIVATE_KEY, make_csr(project).decode() + PRIVATE_KEY):
        form = made_in_browser(project, **{field: content})
        response = as_alice.post(url, form, headers={"Accept": "application/json"})
        assert response.status_code == 400
        assert SENTENCE in response.json()["errors"][""][0]
        for line in key_lines():
            assert line not in response.content.decode()
            assert line not in caplog.text
    assert not Credential.objects.exists()


def test_bodies_that_are_no_form_are_refused(as_alice: Client, url: str, project: Project) -> None:
    form = made_in_browser(project)
    as_json = as_alice.post(url, json.dumps(form), content_type="application/json")
    assert as_json.status_code == 422
    assert set(as_json.json()["errors"]) == {"alias", "csr", ""}
    for body, content_type in ((b"--x", "multipart/form-data; boundary=B"), (b"\xff\x00", "text/plain")):
        assert as_alice.generic("POST", url, body, content_type=content_type).status_code in (400, 422)
    assert not Credential.objects.exists()


def test_other_methods_are_refused(as_alice: Client, url: str) -> None:
    assert as_alice.put(url).status_code == as_alice.delete(url).status_code == 405


def test_strangers_get_404_and_readers_403(as_charlie: Client, as_bob: Client, url: str, project: Project) -> None:
    for client, status in ((as_charlie, 404), (as_bob, 403)):
        assert client.get(url).status_code == client.post(url, made_in_browser(project)).status_code == status
    assert not Credential.objects.exists()


def test_a_request_without_its_token_is_refused(alice: User, url: str, project: Project) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(url, made_in_browser(project)).status_code == 403
    assert not Credential.objects.exists()
