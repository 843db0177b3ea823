"""/ocsp/: what is answered to whom, with which headers, and never a stale or a friendly lie."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509 import ocsp
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import http_date
from pytest_django import Settings

from certauthority import signers
from certauthority.lint import lint_ocsp_response
from certauthority.models import Authority, Certificate, OcspResponder, RevocationReason
from certauthority.ocsp import answers, making, ready_made
from certauthority.records import facts_of
from certauthority.x509 import der
from certauthority.x509.limits import MAX_OCSP_REQUEST_BYTES
from certauthority.x509.ocsp_response import Failure, failure
from tests.certauthority.ocsp_client import get, issue, post, read, request_for, revoke, status
from tests.x509.test_ocsp_request import request as request_by_hand

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]

MALFORMED = failure(Failure.MALFORMED_REQUEST)


@pytest.mark.parametrize("algorithm", [SHA1(), SHA256(), SHA384(), SHA512()], ids=lambda algorithm: algorithm.name)
@pytest.mark.parametrize("ask", [get, post])
def test_a_live_certificate_is_good(ask: Any, algorithm: HashAlgorithm) -> None:
    certificate = issue()
    answered = read(ask(request_for(certificate, algorithm=algorithm)))
    assert answered.certificate_status == ocsp.OCSPCertStatus.GOOD
    assert answered.serial_number == int(certificate.serial, 16)
    assert answered.hash_algorithm.name == algorithm.name


@pytest.mark.parametrize("is_ready", [True, False], ids=["ready-made", "on the spot"])
def test_a_revoked_certificate_is_revoked_at_once_with_time_and_reason(is_ready: bool) -> None:
    certificate = issue()
    if is_ready:
        assert making.make(certificate, now=timezone.now())
    assert status(get(request_for(certificate))) == "GOOD"
    assert revoke(certificate, RevocationReason.AFFILIATION_CHANGED)
    certificate.refresh_from_db()
    for algorithm in (SHA1(), SHA256()):
        answered = read(get(request_for(certificate, algorithm=algorithm)))
        assert answered.certificate_status == ocsp.OCSPCertStatus.REVOKED
        assert certificate.revoked_at is not None
        assert answered.revocation_time_utc == certificate.revoked_at.replace(microsecond=0)
        assert answered.revocation_reason == x509.ReasonFlags.affiliation_changed


def test_what_was_not_issued_here_is_unknown(authorities: dict[str, Authority]) -> None:
    certificate = issue()
    assert status(post(request_for(certificate, issuer=authorities["kmp"]))) == "UNKNOWN"
    assert status(post(request_for(certificate), "kmp")) == "UNKNOWN"
    request = request_for(certificate)
    Certificate.objects.filter(pk=certificate.pk).delete()
    assert status(post(request)) == "UNKNOWN"


@pytest.mark.parametrize("serial", [0, -1, 5, 2**160, 2**2000])
def test_a_serial_that_no_certificate_has_is_unknown(serial: int, authorities: dict[str, Authority]) -> None:
    standing = answers.standing_of("developers")
    assert standing is not None
    algorithm = next(iter(standing.issuer))
    issuer = standing.issuer[algorithm]
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    cert_id = der.write(
        der.SEQUENCE,
        algorithm
        + der.write(der.OCTET_STRING, issuer.name_hash)
        + der.write(der.OCTET_STRING, issuer.key_hash)
        + der.write(der.INTEGER, octets),
    )
    assert status(post(request_by_hand(cert_id))) == "UNKNOWN"


def test_cas_are_answered_for_by_the_root(authorities: dict[str, Authority]) -> None:
    for name in ("developers", "root"):
        assert status(get(request_for(authorities[name].certificate, issuer=authorities["root"]), "root")) == "GOOD"


def test_a_nonce_is_given_back_and_signed_afresh() -> None:
    certificate = issue()
    assert making.make(certificate, now=timezone.now())
    for nonce in (b"0123456789abcdef", b"x", b"n" * 128):
        response = post(request_for(certificate, nonce=nonce))
        assert read(response).extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
        assert response["Cache-Control"] == "no-store"
    revoke(certificate)
    assert status(post(request_for(certificate, nonce=b"0123456789abcdef"))) == "REVOKED"


def test_several_certificates_in_one_request() -> None:
    good, revoked = issue("1"), issue("2")
    revoke(revoked)
    ids = []
    for certificate in (good, revoked):
        to_be_signed = der.read_one(request_for(certificate)).children()[0]
        ids.append(to_be_signed.children()[0].children()[0].children()[0].raw)
    with CaptureQueriesContext(connection) as few:
        post(request_by_hand(ids[0]))
    with CaptureQueriesContext(connection) as many:
        response = post(request_by_hand(*ids, *ids))
    found = [one.certificate_status.name for one in read_all(response.content)]
    assert found == ["GOOD", "REVOKED", "GOOD", "REVOKED"]
    assert len(many) <= len(few)


def read_all(content: bytes) -> list[ocsp.OCSPSingleResponse]:
    return list(ocsp.load_der_ocsp_response(content).responses)


@pytest.mark.parametrize("body", [b"", b"rubbish", b"\x30\x03\x0a\x01\x00", b"q=1&csrf=2"])
def test_rubbish_is_malformed_and_no_error_of_http(body: bytes) -> None:
    response = post(body)
    assert (response.status_code, response.content) == (200, MALFORMED)
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["", "/", "/rubbish", "/MFI", "/%00", "/é", "/MEIwQDA%2B", "/../developers.crl"])
def test_rubbish_in_an_address_is_malformed(path: str) -> None:
    response = Client().get(f"/ocsp/developers{path}")
    assert (response.status_code, response.content) == (200, MALFORMED)


def test_what_is_too_large_is_refused_by_its_size() -> None:
    response = post(b"\x30" * (MAX_OCSP_REQUEST_BYTES + 1))
    assert (response.status_code, response.content) == (413, MALFORMED)
    got = Client().get("/ocsp/developers/" + "M" * (2 * MAX_OCSP_REQUEST_BYTES))
    assert (got.status_code, got.content) == (413, MALFORMED)


def test_an_unknown_ca_is_404() -> None:
    assert post(request_for(issue()), "developers-g2").status_code == 404
    assert Client().get("/ocsp/nothing/rubbish").status_code == 404


def test_only_get_head_and_post_are_answered() -> None:
    certificate = issue()
    making.make(certificate, now=timezone.now())
    client, address = Client(), f"/ocsp/developers/{base64.b64encode(request_for(certificate)).decode()}"
    assert client.put("/ocsp/developers").status_code == 405
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == client.get(address)["ETag"]


@pytest.mark.parametrize("is_ready", [True, False], ids=["ready-made", "on the spot"])
def test_caches_are_told_what_rfc_5019_asks(is_ready: bool) -> None:
    certificate, request = issue(), b""
    if is_ready:
        making.make(certificate, now=timezone.now())
    request = request_for(certificate)
    response = get(request)
    answered = read(response)
    assert response["Cache-Control"] == "max-age=300, public, no-transform, must-revalidate"
    assert answered.next_update_utc is not None
    assert answered.next_update_utc - answered.this_update_utc == timedelta(hours=24)
    assert response["Expires"] == http_date(answered.next_update_utc.timestamp())
    assert response["Last-Modified"] == http_date(answered.this_update_utc.timestamp())
    assert "Set-Cookie" not in response
    assert lint_ocsp_response(response.content) == []


def test_a_client_that_has_the_response_is_told_so() -> None:
    certificate = issue()
    making.make(certificate, now=timezone.now())
    first = get(request_for(certificate))
    again = get(request_for(certificate), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    revoke(certificate)
    assert status(get(request_for(certificate), headers={"If-None-Match": first["ETag"]})) == "REVOKED"


def test_no_cache_keeps_a_response_past_its_next_update() -> None:
    certificate = issue()
    now = timezone.now()
    making.make(certificate, now=now)
    with time_machine.travel(now.replace(microsecond=0) + timedelta(hours=24, seconds=-40), tick=False):
        assert get(request_for(certificate))["Cache-Control"].startswith("max-age=39,")


def test_a_ready_made_response_is_used_and_a_stale_one_is_not() -> None:
    certificate = issue()
    then = timezone.now() - timedelta(hours=3)
    making.make(certificate, now=then)
    assert read(get(request_for(certificate))).this_update_utc == then.replace(microsecond=0)
    now = timezone.now().replace(microsecond=0) + timedelta(hours=22)
    with time_machine.travel(now, tick=False):
        assert read(get(request_for(certificate))).this_update_utc == now


def test_a_ready_made_response_costs_the_database_nothing() -> None:
    certificate = issue()
    making.make(certificate, now=timezone.now())
    get(request_for(certificate))
    with CaptureQueriesContext(connection) as captured:
        for algorithm in (SHA1(), SHA256()):
            assert status(get(request_for(certificate, algorithm=algorithm))) == "GOOD"
    assert len(captured) == 0


def test_without_redis_responses_are_signed_on_the_spot(settings: Settings) -> None:
    certificate = issue()
    making.make(certificate, now=timezone.now())
    settings.REDIS_URL = "unix:///no/such/socket?db=0"
    now = timezone.now() + timedelta(minutes=5)
    with time_machine.travel(now, tick=False):
        assert read(get(request_for(certificate))).this_update_utc == now.replace(microsecond=0)
        assert ready_made.pause.lasts
        assert status(get(request_for(certificate))) == "GOOD"


def test_without_the_database_a_client_is_told_to_try_later(monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_for(issue())
    answers.forget()

    def fail() -> None:
        raise DatabaseError("password=hunter2")

    monkeypatch.setattr(connection, "cursor", fail)
    response = post(request)
    assert (response.status_code, response.content) == (200, failure(Failure.TRY_LATER))


def test_without_its_key_a_responder_says_try_later(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    certificate = issue()
    signers.forget_keys()
    settings.CA_KEY_PASSPHRASE = "another passphrase"
    try:
        assert post(request_for(certificate)).content == failure(Failure.TRY_LATER)
    finally:
        signers.forget_keys()
    assert "developers.ocsp.key.pem" in caplog.text
    assert "another passphrase" not in caplog.text


def test_without_a_responder_clients_are_told_to_try_later() -> None:
    request = request_for(issue())
    OcspResponder.objects.all().delete()
    answers.forget()
    assert post(request).content == failure(Failure.TRY_LATER)


def test_a_responder_whose_certificate_has_ended_says_nothing() -> None:
    certificate, responder = issue(), OcspResponder.objects.get(authority__name="developers")
    end = responder.certificate.not_after
    with time_machine.travel(end - timedelta(hours=1), tick=False):
        assert read(post(request_for(certificate))).next_update_utc == end
    with time_machine.travel(end, tick=False):
        assert post(request_for(certificate)).content == failure(Failure.TRY_LATER)


def test_certificates_name_the_address(authorities: dict[str, Authority]) -> None:
    assert facts_of(issue()).ocsp_urls == ("http://127.0.0.1:8000/ocsp/developers",)
    assert facts_of(authorities["developers"].certificate).ocsp_urls == ("http://127.0.0.1:8000/ocsp/root",)


def test_plain_http_is_not_redirected(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert status(post(request_for(issue()))) == "GOOD"
