"""What the endpoint answers besides the verdict: paths, formats, limits, and what happens when something is away."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from pytest_django import Settings
from redis.connection import AbstractConnection

from certauthority.use_records import SeenCall
from gateway import application as application_module
from gateway import usage
from gateway.answers import prefers_text
from gateway.calls import Call
from portal.models import Credential, Project
from tests.connect.factories import move_clock
from tests.factories import make_credential
from tests.gateway import cases
from tests.gateway.asking import ask, call_with, chain_of
from tests.gateway.odd_certificates import odd_certificate
from tests.portal.foreign_ca import name

PATHS = ("/", "/whoami", "/echo", "/status/204", "/nowhere")


@pytest.fixture
def credential(project: Project) -> Credential:
    return make_credential(project, alias="checkout")


@pytest.fixture
def call(credential: Credential) -> Call:
    """One that is accepted."""
    return call_with(*chain_of(credential.certificate))


@pytest.mark.parametrize("path", ["/", "/whoami"])
def test_who_calls_is_told_everything_about_itself(call: Call, credential: Credential, path: str) -> None:
    reply = ask(call, path)

    certificate, told = credential.certificate, reply.json
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told.pop("time"))
    verdict = told.pop("verdict")
    assert verdict.pop("sentence").startswith("“checkout” of the project “Checkout API” is accepted in Sandbox.")
    assert verdict == {
        "reasonCode": "CLIENT_CERT_ACCEPTED",
        "accepted": True,
        "remedy": "",
        "link": f"{settings.SITE_URL}/projects/{credential.project_id}/sandbox/{credential.pk}/",
        "besides": [],
    }
    assert told == {
        "certificate": {
            "subject": certificate.subject,
            "issuer": "CN=Rehearsal Developers CA,O=mTLS Rehearsal",
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "notBefore": f"{certificate.not_before:%Y-%m-%dT%H:%M:%SZ}",
            "notAfter": f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
        },
        "project": "Checkout API",
        "alias": "checkout",
        "environment": "sandbox",
        "daysLeft": (certificate.not_after.date() - certificate.recorded_at.date()).days,
        "successor": None,
        "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"},
        "clientAddress": "192.0.2.7",
    }
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"


def test_the_successor_is_named_with_its_page(project: Project) -> None:
    reply = ask(cases.superseded(project))

    new = Credential.objects.get(alias="new")
    assert reply.json["successor"] == {
        "alias": "new",
        "serial": new.certificate.serial,
        "link": f"{settings.SITE_URL}/projects/{project.pk}/sandbox/{new.pk}/",
    }


def test_the_days_left_and_the_time_go_by_the_companys_clock(call: Call, project: Project) -> None:
    before = ask(call).json
    move_clock(project.company, timedelta(days=100))

    after = ask(call).json

    assert "companyTime" not in before
    assert after["daysLeft"] == before["daysLeft"] - 100
    assert after["companyTime"] > after["time"]
    assert "The clock of Acme Payments Ltd shows" in after["verdict"]["sentence"]


def test_text_is_one_readable_paragraph(call: Call, credential: Credential) -> None:
    reply = ask(call, HTTP_ACCEPT="text/plain")

    page = f"{settings.SITE_URL}/projects/{credential.project_id}/sandbox/{credential.pk}/"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.text.startswith(
        "Accepted (CLIENT_CERT_ACCEPTED): “checkout” of the project “Checkout API” is accepted"
    )
    assert reply.text.endswith(f"See {page}\n")
    assert reply.text.count("\n") == 1


def test_a_refusal_in_text_tells_everything_in_one_paragraph(project: Project) -> None:
    reply = ask(cases.unapproved_production_in_sandbox(project), "/nowhere", HTTP_ACCEPT="text/plain")

    assert reply.status == 403
    assert reply.text.startswith("Refused (CLIENT_CERT_WRONG_ENVIRONMENT): “alias-")
    assert "Besides: “alias-" in reply.text
    assert reply.text.endswith("/production-access/\n")
    assert reply.text.count("\n") == 1


@pytest.mark.parametrize(
    ("accept", "is_text"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", True),
        ("TEXT/PLAIN ; Q=0.1", True),
        ("text/*", True),
        ("application/json", False),
        ("application/json, text/plain", False),
        ("application/json;q=0.5, text/plain;q=0.6", True),
        ("text/plain;q=0.4, */*;q=0.5", False),
        ("text/plain, */*;q=0.5", True),
        ("text/plain;q=0", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("image/png", False),
        ("text/plain;q=nan, ;;,", False),
        ("text/plain;quality=low", True),
        ("text/plain" + "," * 100_000, True),
    ],
)
def test_which_format_is_wanted(accept: str, is_text: bool) -> None:
    assert prefers_text(accept) is is_text


@pytest.mark.parametrize("case", [cases.accepted, cases.revoked], ids=["accepted", "refused"])
def test_head_answers_as_get_does_but_without_the_body(project: Project, case: Callable[[Project], Call]) -> None:
    call = case(project)

    got, head = ask(call, "/whoami"), ask(call, "/whoami", "HEAD")

    assert head.body == b""
    assert head.status == got.status
    assert head.headers["Content-Length"] == str(len(got.body))
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_refused_gets_the_reason_on_every_path_and_no_echo(project: Project, path: str, method: str) -> None:
    reply = ask(cases.revoked(project), path, method, b"something of mine")

    assert reply.status == 403
    assert [error["ReasonCode"] for error in reply.errors] == ["CLIENT_CERT_REVOKED"]
    assert set(reply.errors[0]) == {"Source", "ReasonCode", "Description", "Recoverable", "Details"}
    assert b"something of mine" not in reply.body


def test_no_certificate_is_a_401_with_a_challenge(db: None) -> None:
    reply = ask(call_with())

    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith("TLS-Client-Certificate ")


def test_every_call_with_a_known_certificate_is_noted(
    call: Call, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[SeenCall] = []
    monkeypatch.setattr(usage, "note", noted.append)

    ask(call, "/nowhere")
    ask(call_with(call.chain[0], environment=cases.PRODUCTION))
    ask(call_with(odd_certificate(None)))
    ask(call_with())

    assert [(one.certificate_id, one.accepted, one.reason, one.environment) for one in noted] == [
        (credential.certificate_id, True, "CLIENT_CERT_ACCEPTED", "sandbox"),
        (credential.certificate_id, False, "CLIENT_CERT_WRONG_ENVIRONMENT", "production"),
    ]
    assert {(one.client_address, one.tls_version, one.cipher) for one in noted} == {
        ("192.0.2.7", "TLSv1.3", "TLS_AES_256_GCM_SHA384")
    }


def test_a_refusal_is_one_line_of_the_log_whatever_the_certificate_says(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    call = call_with(odd_certificate(None, subject=name("x\nINFO Accepted\r\u2028\u202eboss")), address="192.0.2.9")

    with caplog.at_level(logging.INFO, logger="gateway.application"):
        ask(call)

    (line,) = [record.getMessage() for record in caplog.records if record.name == "gateway.application"]
    assert line.startswith("Refused in sandbox: CLIENT_CERT_UNKNOWN_ISSUER from 192.0.2.9, certificate ")
    assert line.isprintable()
    assert "boss" in line


def test_without_a_call_the_answer_is_a_500(db: None, caplog: pytest.LogCaptureFixture) -> None:
    reply = ask(None)

    assert reply.status == 500
    assert reply.errors[0]["ReasonCode"] == "SYSTEM_ERROR"
    assert "A call could not be answered: TypeError at " in caplog.text


def test_an_unknown_error_is_logged_by_its_class_alone(
    call: Call, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("what the certificate said")

    monkeypatch.setattr(application_module, "judge", fail)

    reply = ask(call, HTTP_ACCEPT="text/plain")

    assert reply.status == 500
    assert reply.text.startswith("500 SYSTEM_ERROR: ")
    assert "ZeroDivisionError at " in caplog.text
    assert "what the certificate said" not in caplog.text + reply.text


def test_while_the_database_is_away_a_client_is_told_to_try_again(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(away):
        reply = ask(call)

    assert reply.status == 503
    assert reply.headers["Retry-After"] == "5"
    assert reply.errors[0]["Recoverable"] is True
    assert "The database does not answer: OperationalError at " in caplog.text
    assert ask(call).status == 200


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_database_closed_is_replaced(call: Call) -> None:
    assert ask(call).status == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [process])
    other.close()

    statuses = [ask(call).status for _ in range(2)]

    assert statuses == [200, 200]


def test_redis_is_never_asked(call: Call, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(self: AbstractConnection) -> None:
        raise AssertionError("Redis was asked")

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    monkeypatch.setattr(AbstractConnection, "connect", connect)
    monkeypatch.setattr(AbstractConnection, "send_command", connect)

    statuses = [ask(one).status for one in (call, call_with(), call_with(odd_certificate(None)))]

    assert statuses == [200, 401, 403]
