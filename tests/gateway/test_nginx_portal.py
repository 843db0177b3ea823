"""The portal behind nginx: redirects, static files, sign-in, limits, and what is written to the log."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings as site
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority import server_certificates
from certauthority.authorities import chain_of
from certauthority.models import Authority
from certauthority.x509.export import pem_bundle
from tests.factories import PASSWORD, make_user
from tests.gateway import nginx_front
from tests.gateway.nginx_front import PORTAL, PRODUCTION, SANDBOX, Front, free_port
from tests.processes import ROOT

GUARD_SECONDS = 60
SCRIPT = ROOT / "deploy" / "nginx" / "10-before-templates.envsh"
STATIC = Path(site.STATIC_ROOT)


@pytest.mark.parametrize("path", ["/", "/projects/?a=1&b=%20", "//evil.example/x", "/case", "/accounts/login/"])
def test_plain_http_leads_to_https(front: Front, path: str) -> None:
    answer = front.curl(PORTAL, path, "--header", "X-Forwarded-Proto: https", scheme="http")
    assert answer.status == 301
    assert answer.headers["location"] == f"{front.url(PORTAL)}{path}"


@pytest.mark.parametrize("host", [SANDBOX, PRODUCTION, "evil.example"])
def test_other_hosts_have_no_plain_http(front: Front, host: str) -> None:
    assert front.curl(host, "/ca/root.crl", scheme="http").status == 421


def test_pages_come_with_the_applications_headers(front: Front) -> None:
    answer = front.curl(PORTAL, "/accounts/login/")
    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["set-cookie"].startswith("__Host-csrftoken=")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["server"] == "nginx"
    assert front.log_of(answer)["host"] == PORTAL


def test_signing_in_works_and_notes_the_clients_address(front: Front, tmp_path: Path, settings: Settings) -> None:
    # As the web server hashes passwords, which is a process of its own.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    user, jar = make_user(), tmp_path / "jar"
    cookies = ("--cookie", str(jar), "--cookie-jar", str(jar))
    page = front.curl(PORTAL, "/accounts/login/", *cookies).body.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token is not None
    fields = {"csrfmiddlewaretoken": token[1], "login": user.email, "password": PASSWORD}
    forged = ("--header", "X-Real-IP: 192.0.2.1", "--header", "X-Forwarded-For: 192.0.2.1")
    origin = ("--header", f"Origin: {front.url(PORTAL)}", *forged)
    data = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
    answer = front.curl(PORTAL, "/accounts/login/", *cookies, *origin, *data)
    assert (answer.status, answer.headers["location"]) == (302, "/projects/")
    assert front.curl(PORTAL, "/projects/", *cookies).status == 200
    assert set(AuditEvent.objects.filter(actor=user.email).values_list("address", flat=True)) == {"127.0.0.1"}


def hashed(pattern: str) -> str:
    """The name of a collected file, as pages have it."""
    return next(str(path.relative_to(STATIC)) for path in STATIC.glob(pattern))


def test_static_files_come_from_nginx_and_stay_in_the_browser(front: Front) -> None:
    name = hashed("css/tokens.????????????.css")
    answer = front.curl(PORTAL, f"/static/{name}")
    assert answer.status == 200
    assert answer.body == (STATIC / name).read_bytes()
    assert answer.headers["content-type"] == "text/css"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    packed = front.curl(PORTAL, f"/static/{name}", "--header", "Accept-Encoding: gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == answer.body
    line = {"message": f"GET /static/{name}", "upstream": "", "status": 200}
    nginx_front.wait_until(lambda: any(line.items() <= logged.items() for logged in front.log_lines()))


def test_names_without_a_hash_are_looked_at_again(front: Front) -> None:
    answer = front.curl(PORTAL, "/static/css/tokens.css")
    assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=60")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secrets/secret_key",
        "/static/..%2fsecrets%2fsecret_key",
        "/static../secrets/secret_key",
        "/static/css/",
        "/static/none.css",
        "/static/css/%2e%2e/%2e%2e/secrets/secret_key",
    ],
)
def test_nothing_else_is_a_static_file(front: Front, path: str) -> None:
    (Path(site.STATE_DIR) / "secrets" / "secret_key").stat()
    answer = front.curl(PORTAL, path)
    assert answer.status in (400, 403, 404)


def test_static_files_are_only_read(front: Front) -> None:
    name = hashed("css/tokens.????????????.css")
    for path in (name, "css/tokens.css"):
        assert front.curl(PORTAL, f"/static/{path}", "--request", "PUT", "--data", "x").status in (403, 405)


def test_a_body_above_two_mebibytes_is_refused_in_words(front: Front, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * (2 * 1024 * 1024 + 1))
    answer = front.curl(PORTAL, "/clinic/", "--header", "Expect:", "--data-binary", f"@{body}")
    assert answer.status == 413
    assert b"larger than 2 MiB" in answer.body
    said = front.raw(
        f"POST /clinic/ HTTP/1.1\r\nHost: {PORTAL}\r\nContent-Length: 90000000\r\n\r\n".encode(), to=PORTAL
    )
    assert said.startswith(b"HTTP/1.1 413")


def test_another_host_in_the_request_than_in_tls_is_refused(front: Front) -> None:
    for name in (SANDBOX, "evil.example"):
        request = f"GET /accounts/login/ HTTP/1.1\r\nHost: {name}\r\n\r\n"
        assert front.raw(request.encode(), to=PORTAL).startswith(b"HTTP/1.1 421")


def test_what_watchers_read_is_not_public(front: Front) -> None:
    assert front.curl(PORTAL, "/metrics").status == 404
    assert front.curl(PORTAL, "/healthz").body == b"alive\n"


@pytest.fixture
def front_alone(front: Front, tmp_path: Path) -> Iterator[Front]:
    """nginx with nobody behind it."""
    folder = tmp_path / "alone"
    folder.mkdir()
    nobody = f"server 127.0.0.1:{free_port()};"
    servers = {"NGINX_WEB_SERVERS": nobody, "NGINX_GATEWAY_SERVERS": nobody}
    with nginx_front.another_nginx(front, folder, servers) as alone:
        yield alone


def test_without_the_application_there_is_a_sentence(front_alone: Front) -> None:
    answer = front_alone.curl(PORTAL, "/projects/")
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")
    assert answer.body.startswith(b"The portal is not answering just now.")
    answer = front_alone.curl(SANDBOX, "/")
    assert (answer.status, answer.reason) == (503, "SERVICE_UNAVAILABLE")
    assert answer.json["Errors"]["Error"][0]["Recoverable"] is True


def has_logged(front: Front, messages: set[str]) -> bool:
    return messages <= {line["message"] for line in front.log_lines()}


def test_no_log_holds_what_opens_something(front: Front, front_alone: Front) -> None:
    paths = [
        "/connect/snooze/opens-something/?next=opens-something",
        "/connect/calendar/opens-something.ics",
        "/connect/digest/opens-something/",
        "/clinic/?csr=opens-something",
        "/x-----BEGIN%20PRIVATE%20KEY-----opens-something",
        "/" + "a" * 300 + "opens-something",
    ]
    logged = {
        *("GET /connect/snooze/…", "GET /connect/calendar/…", "GET /connect/digest/…", "GET /clinic/", "GET …"),
        f"GET /{'a' * 199}…",
    }
    for asked in (front, front_alone):
        for path in paths:
            asked.curl(PORTAL, path)
        nginx_front.wait_until(partial(has_logged, asked, logged))
        assert "opens-something" not in (asked.folder / "access.log").read_text()
        assert "opens-something" not in (asked.folder / "error.log").read_text()


def served(front: Front, host: str) -> bytes | None:
    """DER of the certificate that a new handshake shows."""
    with front.connect(host) as connection:
        return connection.getpeercert(binary_form=True)


def test_a_renewed_certificate_is_in_use_without_a_restart(
    front: Front, authorities: dict[str, Authority], tmp_path: Path, settings: Settings
) -> None:
    """The endpoint's own certificate, as the site makes it; the container's script sees that the files changed."""
    folder = tmp_path / "renewed"
    folder.mkdir()
    own = folder / "own"
    own.mkdir()
    for name in ("endpoint.pem", "endpoint.key.pem"):
        (own / name).write_bytes((front.endpoint_directory / name).read_bytes())
    files = {f"NGINX_{who}_CERTIFICATE": str(own / "endpoint.pem") for who in ("PORTAL", "ENDPOINT")}
    files |= {f"NGINX_{who}_KEY": str(own / "endpoint.key.pem") for who in ("PORTAL", "ENDPOINT")}
    with nginx_front.another_nginx(front, folder, files) as renewed, watching(renewed, files):
        before = served(renewed, SANDBOX)
        settings.GATEWAY_DIRECTORY = own
        settings.GATEWAY_URLS = {"sandbox": front.url(SANDBOX), "production": front.url(PRODUCTION)}
        settings.CERTIFIED_HOSTS = [PORTAL]
        facts = server_certificates.certify_if_due(now=timezone.now())
        assert facts is not None
        assert facts.der != before
        last_moment = time.monotonic() + GUARD_SECONDS
        while {served(renewed, host) for host in (PORTAL, SANDBOX, PRODUCTION)} != {facts.der}:
            assert time.monotonic() < last_moment
            time.sleep(0.1)
        renewed.ca_file.unlink()
        renewed.ca_file.write_text(pem_bundle(chain_of(authorities["services"])))
        assert renewed.curl(SANDBOX, "/").reason == "CLIENT_CERT_MISSING"
        assert renewed.curl(PORTAL, "/healthz").status == 200


@contextmanager
def watching(front: Front, files: dict[str, str]) -> Iterator[None]:
    """What the container's entrypoint leaves running beside nginx; it has looked at the files once."""
    secret = front.folder / "secret"
    secret.write_text(nginx_front.SECRET)
    assert front.nginx is not None
    environment = {
        **files,
        "PATH": os.environ["PATH"],
        "NGINX_FRONT_SECRET_FILE": str(secret),
        "NGINX_ENVSUBST_OUTPUT_DIR": str(front.folder / "conf"),
        "NGINX_STATE_DIR": str(front.folder / "nginx"),
        "RELOAD_CHECK_SECONDS": "0.2",
    }
    command = ["sh", "-ec", f'. "{SCRIPT}"; echo watching; wait']
    process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        with process.stdout as said:
            assert said.readline() == "watching\n"
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(GUARD_SECONDS)
