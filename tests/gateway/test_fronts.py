"""Behind a front: who is believed, what is made of its headers, and what the application never sees."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import pytest

from connect import request_ids
from gateway.calls import CALL_KEY, Call
from gateway.fronts import behind_front
from portal.models import Environment

SECRET = "a secret of the front with 32 characters"
DER = bytes(range(256)) * 3
PEM = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(DER).decode()}-----END CERTIFICATE-----\n"


class Application:
    """Remembers what reached it."""

    def __init__(self) -> None:
        self.environ: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.environ = environ
        start_response("200 OK", [])
        return [b"judged"]

    @property
    def call(self) -> Call:
        found = self.environ[CALL_KEY]
        assert isinstance(found, Call)
        return found


@pytest.fixture(autouse=True)
def _front_set_up(settings: Any) -> None:
    settings.GATEWAY_FRONT_SECRET = SECRET
    settings.GATEWAY_FRONT_ADDRESSES = (ip_network("10.1.0.0/24"), ip_network("::1"))


def sent(**changed: str | None) -> dict[str, Any]:
    """What granian makes of a request from nginx; None leaves a part out."""
    environ: dict[str, str | None] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/whoami",
        "REMOTE_ADDR": "10.1.0.7",
        "HTTP_ACCEPT": "text/plain",
        "HTTP_X_REHEARSAL_FRONT_SECRET": SECRET,
        "HTTP_X_REHEARSAL_ENVIRONMENT": "production",
        "HTTP_X_REHEARSAL_CLIENT_CERT": quote(PEM),
        "HTTP_X_REHEARSAL_CLIENT_ADDRESS": "192.0.2.44",
        "HTTP_X_REHEARSAL_TLS_VERSION": "TLSv1.3",
        "HTTP_X_REHEARSAL_TLS_CIPHER": "TLS_AES_256_GCM_SHA384",
        **changed,
    }
    return {name: value for name, value in environ.items() if value is not None}


def answer(environ: dict[str, Any]) -> tuple[Application, str, dict[str, str], bytes]:
    """Ask: the application behind, status, headers and body."""
    application = Application()
    said: list[Any] = []
    body = b"".join(behind_front(application)(environ, lambda status, headers: said.extend((status, headers))))
    return application, said[0], dict(said[1]), body


def refused(environ: dict[str, Any]) -> bool:
    """Whether the request was kept from the application, with the envelope that says so."""
    application, status, headers, body = answer(environ)
    if status == "200 OK":
        return False
    assert application.environ == {}
    assert status == "403 Forbidden"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Content-Length"] == str(len(body))
    error = json.loads(body)["Errors"]["Error"][0]
    assert error["ReasonCode"] == "FRONT_NOT_BELIEVED"
    assert error["Recoverable"] is False
    return True


def test_what_a_front_says_becomes_the_call() -> None:
    application, status, _, body = answer(sent())
    assert (status, body) == ("200 OK", b"judged")
    assert application.call == Call(
        environment=Environment.PRODUCTION,
        chain=(DER,),
        chain_is_whole=False,
        client_address="192.0.2.44",
        tls_version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
    )
    assert application.environ["REMOTE_ADDR"] == "192.0.2.44"
    assert application.environ["wsgi.url_scheme"] == "https"
    assert application.environ["HTTP_ACCEPT"] == "text/plain"


def test_no_certificate_makes_an_empty_chain() -> None:
    assert answer(sent(HTTP_X_REHEARSAL_CLIENT_CERT=None))[0].call.chain == ()
    assert answer(sent(HTTP_X_REHEARSAL_CLIENT_CERT=""))[0].call.chain == ()


@pytest.mark.parametrize(
    "text",
    [
        "nothing of the kind",
        "%ZZ%",
        "%ff%fe",
        quote("-----BEGIN CERTIFICATE-----\n"),
        quote("-----BEGIN CERTIFICATE-----\n=\x00=\n-----END CERTIFICATE-----\n"),
        quote("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"),
        quote("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        "A" * 200_000,
        "\udcff",
        "é",
    ],
    ids=["words", "percent", "octets", "half", "padding", "one-letter", "empty", "long", "surrogate", "latin"],
)
def test_what_is_no_certificate_is_handed_on_to_be_judged_unreadable(text: str) -> None:
    chain = answer(sent(HTTP_X_REHEARSAL_CLIENT_CERT=text))[0].call.chain
    assert len(chain) == 1
    assert chain[0]


@pytest.mark.parametrize(
    ("text", "taken"),
    [("2001:db8::1", "2001:db8::1"), ("::ffff:192.0.2.9", "192.0.2.9"), ("2001:0DB8:0::1", "2001:db8::1")],
)
def test_addresses_are_written_in_one_way(text: str, taken: str) -> None:
    assert answer(sent(HTTP_X_REHEARSAL_CLIENT_ADDRESS=text))[0].call.client_address == taken


def test_long_names_are_cut_to_what_can_be_stored() -> None:
    call = answer(sent(HTTP_X_REHEARSAL_TLS_CIPHER="c" * 500, HTTP_X_REHEARSAL_TLS_VERSION="v" * 500))[0].call
    assert (len(call.cipher), len(call.tls_version)) == (64, 12)


@pytest.mark.parametrize("secret", [None, "", SECRET[:-1], SECRET + "x", SECRET.upper(), f" {SECRET}", "é", "\udcff"])
def test_without_the_secret_nobody_is_believed(secret: str | None) -> None:
    assert refused(sent(HTTP_X_REHEARSAL_FRONT_SECRET=secret))


@pytest.mark.parametrize("peer", ["10.1.1.7", "192.0.2.44", "::2", "::ffff:10.1.1.7", "", "unix:/a.sock", None])
def test_from_another_address_the_secret_does_not_help(peer: str | None) -> None:
    assert refused(sent(REMOTE_ADDR=peer))


@pytest.mark.parametrize("peer", ["10.1.0.1", "10.1.0.255", "::1", "::ffff:10.1.0.9"])
def test_from_each_address_of_the_front_it_is_believed(peer: str) -> None:
    assert not refused(sent(REMOTE_ADDR=peer))


def test_without_a_secret_in_the_settings_nobody_is_believed(settings: Any) -> None:
    settings.GATEWAY_FRONT_SECRET = ""
    assert refused(sent(HTTP_X_REHEARSAL_FRONT_SECRET=""))
    assert refused(sent(HTTP_X_REHEARSAL_FRONT_SECRET=None))
    assert refused(sent())


@pytest.mark.parametrize("environment", [None, "", "Production", "sandbox ", "other"])
def test_a_front_that_names_no_environment_is_set_up_badly(environment: str | None) -> None:
    assert refused(sent(HTTP_X_REHEARSAL_ENVIRONMENT=environment))


@pytest.mark.parametrize("address", [None, "", "localhost", "192.0.2.1, 192.0.2.2", "192.0.2.1:80"])
def test_a_front_that_names_no_address_is_set_up_badly(address: str | None) -> None:
    assert refused(sent(HTTP_X_REHEARSAL_CLIENT_ADDRESS=address))


def test_a_refusal_is_logged_with_its_reason_and_without_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="gateway.fronts"):
        refused(sent(REMOTE_ADDR="10.9.9.9"))
        refused(sent(HTTP_X_REHEARSAL_FRONT_SECRET="guessed by somebody"))
        refused(sent(HTTP_X_REHEARSAL_ENVIRONMENT="line\nbreak"))
    first, second, third = caplog.messages
    assert "10.9.9.9 is not in GATEWAY_FRONT_ADDRESSES" in first
    assert "does not name the secret" in second
    assert "does not say which host was called" in third
    assert not any(word in caplog.text for word in (SECRET, "guessed", "break"))


def test_the_application_never_sees_a_header_of_the_front() -> None:
    spellings = {
        "HTTP_X_REHEARSAL": "1",
        "HTTP_X_REHEARSAL_ANYTHING": "1",
        "HTTP_X_REHEARSAL_client_cert": "1",
        "http_x_rehearsal_environment": "1",
        "HTTP_X_REHEARSALS": "1",
        "HTTP_PROXY": "http://user:password@proxy.example",
    }
    application = answer(sent(**spellings))[0]
    assert set(application.environ) == {
        *("REQUEST_METHOD", "PATH_INFO", "REMOTE_ADDR", "HTTP_ACCEPT", "wsgi.url_scheme", CALL_KEY)
    }


def test_lines_in_the_log_carry_the_id_that_the_front_gave() -> None:
    seen: list[str] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(request_ids.current())
        return []

    behind_front(application)(sent(HTTP_X_REQUEST_ID="0123456789abcdef"), lambda *_: None)
    assert seen == ["0123456789abcdef"]
    assert request_ids.current() == ""


def test_a_clients_own_spelling_does_not_replace_what_the_front_says() -> None:
    forged = {"http_x_rehearsal_client_cert": quote("forged"), "HTTP_X_REHEARSAL_CLIENT_CERTIFICATE": "forged"}
    assert answer(sent(**forged))[0].call.chain == (DER,)


def test_headers_are_removed_from_what_is_refused_too() -> None:
    environ = sent(REMOTE_ADDR="10.9.9.9")
    answer(environ)
    assert not any("REHEARSAL" in name for name in environ)
    assert CALL_KEY not in environ
