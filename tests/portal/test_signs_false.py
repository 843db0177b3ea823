"""A web process without keys (SIGNS=false): everything works but what needs a signature, and that is a plain 503."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from certauthority import readiness, revocation, signers
from certauthority.models import Authority, RevocationReason
from certauthority.ocsp import making
from certauthority.readiness import prove_keys_at_start
from kmp import key_management
from kmp.models import RequestState
from portal.models import Credential, Project
from tests.certauthority.ocsp_client import issue, post, request_for, status
from tests.connect.factories import make_staff
from tests.factories import make_credential, make_csr
from tests.kmp.decisions import make_submitted
from tests.kmp.wizard import browser, make_two_officers
from tests.page_text import text_of
from tests.portal.credential_pages import made_in_browser, page_url
from tests.web_server import web_server

SENTENCE = "This process does not sign, and has no key (SIGNS=false)."


@pytest.fixture
def no_keys(authorities: dict[str, Authority], settings: Settings) -> Iterator[None]:
    """From here on this process has no key, and forgets those that it had."""
    signers.forget_keys()
    settings.SIGNS, settings.CA_KEY_PASSPHRASE = False, ""
    yield
    signers.forget_keys()


def sent(project: Project) -> dict[str, str]:
    return {"alias": "payouts", "csr": make_csr(project).decode(), "submission": str(uuid4())}


def test_a_form_says_that_this_process_does_not_sign(as_alice: Client, project: Project, no_keys: None) -> None:
    url = page_url("paste_csr", project)
    assert as_alice.get(url).status_code == 200
    response = as_alice.post(url, sent(project))
    assert response.status_code == 503
    assert SENTENCE in text_of(response)
    assert "Nothing was stored." in text_of(response)
    assert "payouts" in response.content.decode(), "what was typed is still there"
    assert not Credential.objects.exists()


def test_the_browsers_code_is_told_so_too(as_alice: Client, project: Project, no_keys: None) -> None:
    assert as_alice.get(page_url("generate_key", project)).status_code == 200
    response = as_alice.post(page_url("generate_key", project), made_in_browser(project))
    assert response.status_code == 503
    assert response.json()["errors"][""][0].startswith(SENTENCE)


def test_staff_are_told_so_and_the_request_waits(authorities: dict[str, Authority], settings: Settings) -> None:
    olga, _ = make_two_officers()
    kim = make_staff(email="kim@site.example")
    request = make_submitted(olga)
    key_management.begin_review(request, by=kim, actor=Actor(kim.email), now=timezone.now())
    signers.forget_keys()
    settings.SIGNS = False
    response = browser(kim).post(reverse("kmp:review", args=[request.number]), {"decision": "sign", "reason": ""})
    assert response.status_code == 503
    assert SENTENCE in text_of(response)
    request.refresh_from_db()
    assert request.state == RequestState.IN_REVIEW


def test_what_needs_no_key_works(as_alice: Client, project: Project, no_keys: None, settings: Settings) -> None:
    settings.SIGNS, settings.CA_KEY_PASSPHRASE = True, "changed below"
    assert readiness.problems(now=timezone.now())["ca_key"], "a process that signs would be in trouble"
    settings.SIGNS, settings.CA_KEY_PASSPHRASE = False, ""
    assert readiness.problems(now=timezone.now()) == {}
    assert as_alice.get(page_url("credentials", project)).status_code == 200
    for name in ("root", "developers"):
        assert Client().get(f"/ca/{name}.crl").status_code == 200


def test_a_process_that_is_not_meant_to_sign_is_silent_about_it(
    no_keys: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert not prove_keys_at_start()
    assert "cannot sign" not in caplog.text


def test_revoking_needs_no_key(project: Project, authorities: dict[str, Authority], settings: Settings) -> None:
    certificate = make_credential(project, alias="revoked").certificate
    signers.forget_keys()
    settings.SIGNS = False
    reason = RevocationReason.KEY_COMPROMISE
    assert revocation.revoke(certificate, reason=reason, actor=Actor("alice"), now=timezone.now())


def test_ocsp_answers_what_was_made_ahead_and_asks_to_try_later_for_the_rest(
    authorities: dict[str, Authority], settings: Settings
) -> None:
    certificate = issue("ready-made")
    assert making.make(certificate, now=timezone.now())
    signers.forget_keys()
    settings.SIGNS = False
    assert status(post(request_for(certificate))) == "GOOD"
    assert status(post(request_for(certificate, nonce=b"1" * 16))) == "TRY_LATER"


# Its process has a state directory of its own, and SQLite's database would lie in there.
@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_real_web_process_needs_no_passphrase(authorities: dict[str, Authority], tmp_path: Path) -> None:
    certificate = issue("real")
    log = tmp_path / "web.log"
    with web_server(log, SIGNS="false", CA_KEY_PASSPHRASE="", STATE_DIR=str(tmp_path / "state")) as server:
        ready = _read(f"http://127.0.0.1:{server.port}/readyz")
        assert not {"ca_key", "ocsp", "crl", "database"} & set(json.loads(ready).get("problems", {}))
        assert _read(f"http://127.0.0.1:{server.port}/ca/developers.crl").startswith(b"\x30")
        body = request_for(certificate, nonce=b"2" * 16)
        asked = urllib.request.Request(f"http://127.0.0.1:{server.port}/ocsp/developers", data=body)
        asked.add_header("Content-Type", "application/ocsp-request")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.read() == bytes.fromhex("30030a0103"), "tryLater (RFC 6960, 4.2.1)"
    assert "This process cannot sign" not in log.read_text()
    assert not (tmp_path / "state" / "ca").exists()


def _read(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        return error.read()
