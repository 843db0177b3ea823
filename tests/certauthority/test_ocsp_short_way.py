"""The short way before Django: the same answers, and everything that is no OCSP request goes the long way."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from django.core.handlers.wsgi import WSGIHandler
from django.db import DatabaseError, connections
from django.utils import timezone

from certauthority.authorities import chain_of
from certauthority.models import Authority, Certificate
from certauthority.ocsp import answers, endpoint, making
from certauthority.ocsp.short_way import ShortWay
from certauthority.records import facts_of
from certauthority.x509.export import pem_bundle
from certauthority.x509.limits import MAX_OCSP_REQUEST_BYTES
from certauthority.x509.requests import new_private_key
from tests.certauthority.ocsp_client import issue, request_for, revoke
from tests.processes import ROOT, site_environment

START_SECONDS = 60


class LongWay:
    """Stands for Django, and keeps what reaches it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.bodies.append(environ["wsgi.input"].read())
        start_response("299 The long way", [])
        return [b"long"]


def ask(application: Any, path: str, body: bytes | None = None, **environ: str) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of one call."""
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        said.update(status=status, headers=dict(headers))

    wanted: dict[str, Any] = {
        "REQUEST_METHOD": "GET" if body is None else "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "QUERY_STRING": "",
        "wsgi.input": BytesIO(body or b""),
        "wsgi.url_scheme": "http",
        **({} if body is None else {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/ocsp-request"}),
        **environ,
    }
    content = b"".join(application(wanted, start_response))
    return said["status"], said["headers"], content


def encoded(request: bytes) -> str:
    return base64.b64encode(request).decode()


@pytest.mark.django_db
def test_requests_are_answered_without_django(authorities: dict[str, Authority]) -> None:
    certificate, long_way = issue(), LongWay()
    making.make(certificate, now=timezone.now())
    request, short_way = request_for(certificate), ShortWay(long_way)
    got = ask(short_way, f"/ocsp/developers/{encoded(request)}")
    posted = ask(short_way, "/ocsp/developers", request)
    assert got == posted
    status, headers, content = got
    assert status == "200 OK"
    assert ocsp.load_der_ocsp_response(content).certificate_status == ocsp.OCSPCertStatus.GOOD
    assert headers["Content-Length"] == str(len(content))
    again = ask(short_way, f"/ocsp/developers/{encoded(request)}", HTTP_IF_NONE_MATCH=headers["ETag"])
    assert (again[0], again[2]) == ("304 Not Modified", b"")
    assert "Content-Length" not in again[1]
    fresh = ask(short_way, "/ocsp/developers", request_for(certificate, nonce=b"n" * 16))
    assert fresh[1]["Cache-Control"] == "no-store"
    assert long_way.bodies == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", None),
        ("/ocsp", None),
        ("/ocsp/", None),
        ("/ocsp/developers", None),
        ("/ocsp/developers/rubbish", None),
        ("/ocsp/developers/\xc3\xa9", None),
        ("/ocsp/developers", b""),
        ("/ocsp/developers", b"rubbish"),
        ("/ocsp/developers", b"\x30" * (MAX_OCSP_REQUEST_BYTES + 1)),
        ("/ocspdevelopers", b"\x30"),
    ],
)
def test_everything_else_goes_the_long_way_whole(
    path: str, body: bytes | None, authorities: dict[str, Authority]
) -> None:
    long_way = LongWay()
    assert ask(ShortWay(long_way), path, body)[0] == "299 The long way"
    assert long_way.bodies == [body or b""]


@pytest.mark.django_db
def test_other_methods_unknown_cas_and_bodies_without_length_go_the_long_way(
    authorities: dict[str, Authority],
) -> None:
    request, long_way = request_for(issue()), LongWay()
    short_way = ShortWay(long_way)
    ask(short_way, "/ocsp/developers", request, REQUEST_METHOD="PUT")
    ask(short_way, "/ocsp/developers-g2", request)
    ask(short_way, "/ocsp/developers", request, CONTENT_LENGTH="")
    ask(short_way, "/ocsp/developers", request, CONTENT_LENGTH="-1")
    assert long_way.bodies == [request] * 4


@pytest.mark.django_db
def test_a_failure_goes_the_long_way_on_a_fresh_connection(
    authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    request, long_way, closed = request_for(issue()), LongWay(), []

    def fail(*arguments: Any, **named: Any) -> None:
        raise DatabaseError("the connection was lost")

    monkeypatch.setattr(endpoint, "understood", fail)
    monkeypatch.setattr(connections["default"], "close", lambda: closed.append(True))
    assert ask(ShortWay(long_way), "/ocsp/developers", request)[0] == "299 The long way"
    assert long_way.bodies == [request]
    assert closed == [True]
    assert "could not be answered in the short way" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_an_old_connection_is_closed(authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch) -> None:
    request, closed = request_for(issue()), []
    monkeypatch.setattr(connections["default"], "close", lambda: closed.append(True))
    monkeypatch.setattr(connections["default"], "close_at", time.monotonic() + 60)
    ask(ShortWay(LongWay()), "/ocsp/developers", request)
    assert closed == []
    monkeypatch.setattr(connections["default"], "close_at", time.monotonic())
    ask(ShortWay(LongWay()), "/ocsp/developers", request)
    assert closed == [True]


@pytest.mark.django_db(transaction=True)  # Django looks at its connection before and after the request.
def test_the_long_way_has_an_answer_for_everything(authorities: dict[str, Authority]) -> None:
    certificate, application = issue(), ShortWay(WSGIHandler())
    assert ask(application, "/ocsp/developers", request_for(certificate))[0] == "200 OK"
    answers.forget()
    status, _, content = ask(application, "/ocsp/developers", b"rubbish")
    assert (status, content) == ("200 OK", b"\x30\x03\x0a\x01\x01")
    key = new_private_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert ask(application, "/ocsp/developers", key)[0] == "400 Bad Request", "no private key gets in here either"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("authorities")
def test_the_web_server_takes_both_ways(web_server: str) -> None:
    request = encoded(request_for(issue()))
    with urllib.request.urlopen(f"{web_server}/ocsp/developers/{request}") as short:
        assert ocsp.load_der_ocsp_response(short.read()).certificate_status == ocsp.OCSPCertStatus.GOOD
    with urllib.request.urlopen(f"{web_server}/ocsp/developers/rubbish") as long:
        assert long.read() == b"\x30\x03\x0a\x01\x01"
    passed_django = ["Content-Security-Policy" in response.headers for response in (short, long)]
    assert passed_django == [False, True]


@pytest.fixture
def web_server(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """The site as `make run` serves it, on this test's database and Redis."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    with open(tmp_path / "web.log", "wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:], "config.wsgi:application"],
            cwd=ROOT,
            env={**site_environment(), "PYTHONPATH": os.fspath(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process, tmp_path / "web.log")
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    last_moment = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > last_moment:
                raise RuntimeError(f"The server did not start. It said: {log.read_text()}") from None
            time.sleep(0.1)
        else:
            return


def openssl(site: str, directory: Path, certificate: Certificate, *options: str, name: str = "developers") -> str:
    """What `openssl ocsp` says, standard output and error together."""
    issuer = certificate.authority
    assert issuer is not None
    (directory / "leaf.pem").write_text(facts_of(certificate).pem)
    (directory / "issuer.pem").write_text(facts_of(issuer.certificate).pem)
    (directory / "chain.pem").write_text(pem_bundle(chain_of(issuer)))
    command = ["openssl", "ocsp", *options, "-issuer", "issuer.pem", "-cert", "leaf.pem", "-CAfile", "chain.pem"]
    asked = subprocess.run(
        [*command, "-url", f"{site}/ocsp/{name}", "-resp_text"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return asked.stdout + asked.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("server", ["web_server", "live_site"])
def test_openssl_believes_what_it_is_told(
    server: str, request: pytest.FixtureRequest, authorities: dict[str, Authority], tmp_path: Path
) -> None:
    site = request.getfixturevalue(server)
    certificate, other = issue("1"), issue("2")
    making.make(certificate, now=timezone.now())
    for options in ([], ["-no_nonce"], ["-sha256"], ["-sha256", "-no_nonce"]):
        said = openssl(site, tmp_path, certificate, *options)
        assert "Response verify OK" in said, said
        assert "leaf.pem: good" in said
        assert "WARNING: no nonce" not in said
        assert ("OCSP Nonce" in said) == ("-no_nonce" not in options)
    revoke(certificate)
    for options in ([], ["-no_nonce"], ["-sha256", "-no_nonce"]):
        said = openssl(site, tmp_path, certificate, *options)
        assert "Response verify OK" in said, said
        assert "leaf.pem: revoked" in said
        assert "Reason: keyCompromise" in said
    assert "leaf.pem: good" in openssl(site, tmp_path, other)
    assert "leaf.pem: unknown" in openssl(site, tmp_path, other, name="kmp")
    assert "leaf.pem: good" in openssl(site, tmp_path, authorities["developers"].certificate, name="root")
