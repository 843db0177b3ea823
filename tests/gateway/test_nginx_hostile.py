"""What clients of bad will try at the front: forged headers, two requests in one, too much, and too slowly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.utils import timezone

from certauthority.models import Certificate, EndpointCall
from tests.gateway import nginx_front, past_nginx
from tests.gateway.nginx_front import PORTAL, PRODUCTION, SANDBOX, SECRET, Front
from tests.gateway.test_nginx_verdicts import live_credential

GUARD_SECONDS = 60
SMUGGLED = f"GET /status/418 HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n"
HEAD = f"POST /echo HTTP/1.1\r\nHost: {SANDBOX}\r\n"

# What is sent, and which statuses nginx may give it. A smuggled request would be answered with 418.
DOUBTFUL = {
    "cl-te": (f"{HEAD}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}", [400]),
    "te-cl": (f"{HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n{SMUGGLED}\r\n0\r\n\r\n", [400]),
    "two-lengths": (f"{HEAD}Content-Length: 0\r\nContent-Length: 50\r\n\r\n{SMUGGLED}", [400]),
    "same-length-twice": (f"{HEAD}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", [400]),
    "list-of-lengths": (f"{HEAD}Content-Length: 1, 1\r\n\r\nx{SMUGGLED}", [400]),
    "signed-length": (f"{HEAD}Content-Length: +1\r\n\r\nx{SMUGGLED}", [400]),
    "length-in-hex": (f"{HEAD}Content-Length: 0x1\r\n\r\nx{SMUGGLED}", [400]),
    "negative-length": (f"{HEAD}Content-Length: -1\r\n\r\n{SMUGGLED}", [400]),
    "space-before-colon": (f"{HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{SMUGGLED}", [400]),
    "unknown-coding": (f"{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}", [501]),
    "two-codings": (f"{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{SMUGGLED}", [501]),
    "coding-twice": (f"{HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n{SMUGGLED}", [400]),
    "chunk-too-large": (f"{HEAD}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{SMUGGLED}", [400]),
    "chunk-no-number": (f"{HEAD}Transfer-Encoding: chunked\r\n\r\n-1\r\n{SMUGGLED}", [400]),
    "chunk-longer-than-said": (f"{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n{SMUGGLED}", [400]),
    "http-1.0": ("GET / HTTP/1.0\r\n\r\n", [421]),
    "no-host": ("GET / HTTP/1.1\r\n\r\n", [400]),
    "two-hosts": (f"GET / HTTP/1.1\r\nHost: {SANDBOX}\r\nHost: {PRODUCTION}\r\n\r\n", [400]),
    "host-with-path": (f"GET / HTTP/1.1\r\nHost: {SANDBOX}/x\r\n\r\n", [400]),
    "other-host": (f"GET / HTTP/1.1\r\nHost: {PRODUCTION}\r\n\r\n", [421]),
    "portal": (f"GET /projects/ HTTP/1.1\r\nHost: {PORTAL}\r\n\r\n", [421]),
    "nobody": ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", [421]),
    "absolute-of-other-host": (f"GET https://{PRODUCTION}/ HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n", [421]),
    "absolute-of-nobody": (f"GET http://evil.example/ HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n", [421]),
    "nul-in-path": (f"GET /%00 HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n", [400]),
    "raw-nul": (f"GET /\0 HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n", [400]),
    "nul-in-header": (f"GET / HTTP/1.1\r\nHost: {SANDBOX}\r\nX-A: b\0c\r\n\r\n", [400]),
    "connect": (f"CONNECT {SANDBOX}:443 HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n", [400, 405]),
    "http-2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 505]),
    "http-3": (f"GET / HTTP/3.0\r\nHost: {SANDBOX}\r\n\r\n", [505]),
    "climbing": (f"GET /../../etc/passwd HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n", [400]),
    "words": ("hello\r\n\r\n", [400]),
}
# These mean one thing only. Each is one request, for nginx and for the application.
UNUSUAL = {
    "chunk-extension": (f'{HEAD}Transfer-Encoding: chunked\r\n\r\n5;a="b;c"\r\nhello\r\n0\r\n\r\n', b'"bodyBytes": 5'),
    "trailer": (f"{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nHost: {PRODUCTION}\r\n\r\n", b"hello"),
    "body-like-a-request": (f"{HEAD}Content-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}", b"GET /status/418"),
    "absolute": (f"GET https://{SANDBOX}/whoami HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n", b"CLIENT_CERT_ACCEPTED"),
    "upper-case-host": (f"GET / HTTP/1.1\r\nHost: {SANDBOX.upper()}\r\n\r\n", b"CLIENT_CERT_ACCEPTED"),
    "upgrade": (
        f"GET / HTTP/1.1\r\nHost: {SANDBOX}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n",
        b"CLIENT_CERT_ACCEPTED",
    ),
    "http-1.0": (f"GET / HTTP/1.0\r\nHost: {SANDBOX}\r\n\r\n", b"CLIENT_CERT_ACCEPTED"),
}


def test_forged_headers_in_every_spelling_are_dropped(front: Front, client_file: Path) -> None:
    """The application would say what they claim."""
    credential = live_credential(client_file)
    pem = quote(ssl.DER_cert_to_PEM_cert(bytes(credential.certificate.der)))
    forged = {
        "X-Rehearsal-Front-Secret": SECRET,
        "X-Rehearsal-Client-Cert": pem,
        "X-Rehearsal-Environment": "production",
        "X-Rehearsal-Client-Address": "203.0.113.9",
        "X-Rehearsal-TLS-Version": "TLSv9",
        "X-Rehearsal-TLS-Cipher": "NONE",
    }
    spellings: list[Callable[[str], str]] = [
        str,
        str.lower,
        str.upper,
        lambda name: name.replace("-", "_"),
        lambda name: name.replace("-", "_", 1),
        lambda name: f"{name[:11]}_{name[12:]}".lower(),
    ]
    for spell in spellings:
        arguments = [part for name, value in forged.items() for part in ("--header", f"{spell(name)}: {value}")]
        assert front.curl(SANDBOX, "/", *arguments).reason == "CLIENT_CERT_MISSING"
        answer = front.curl(SANDBOX, "/", *arguments, *arguments, client=client_file)
        assert answer.reason == "CLIENT_CERT_ACCEPTED"
        assert answer.json["clientAddress"] == "127.0.0.1"
        assert answer.json["tls"] == {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"}
        echo = front.curl(SANDBOX, "/echo", *arguments, "--data", "a", client=client_file)
        assert not any("rehearsal" in name.lower() for name in echo.json["headers"])


def test_a_forged_id_of_the_request_is_dropped(front: Front) -> None:
    answer = front.curl(SANDBOX, "/", "--header", "X-Request-Id: chosen-by-the-client")
    assert front.log_of(answer)["request_id"] != "chosen-by-the-client"


def test_past_nginx_nobody_is_believed_without_the_secret(front: Front, client_file: Path) -> None:
    der = bytes(live_credential(client_file).certificate.der)
    honest = past_nginx.front_headers(der)
    assert past_nginx.ask_directly(front.gateway, "/", honest) == [200]
    wrong = {**honest, "X-Rehearsal-Front-Secret": SECRET[::-1]}
    without = {name: value for name, value in honest.items() if name != "X-Rehearsal-Front-Secret"}
    for headers in (wrong, without, {}):
        assert past_nginx.ask_directly(front.gateway, "/", headers) == [403]


def counted(certificate: Certificate) -> int:
    """How many requests with it reached the application, as far as they are written."""
    return sum(hour.accepted + hour.refused for hour in certificate.use_hours.all())


def handed_on(front: Front, certificate: Certificate) -> int:
    """How many requests with it nginx gave to the application."""
    fingerprint = hashlib.sha1(bytes(certificate.der)).hexdigest()  # As nginx names certificates.
    return sum(
        line["client_certificate"] == fingerprint and bool(line["upstream_status"]) for line in front.log_lines()
    )


def test_no_request_hides_in_another(front: Front, client_file: Path) -> None:
    """Each case gets one answer, and the application sees as many requests as nginx handed on."""
    certificate = live_credential(client_file).certificate
    for case, (sent, allowed) in DOUBTFUL.items():
        said = front.raw(sent.encode("latin-1"), client=client_file)
        assert b" 418 " not in said, case
        if said:  # With `climbing` and the like nginx may also hang up.
            status = int(said.split(b" ", 2)[1])
            assert status in allowed, (case, said[:300])
    for case, (sent, expected) in UNUSUAL.items():
        said = front.raw(sent.encode("latin-1"), client=client_file)
        assert expected in said, (case, said[:300])
        assert said.count(b"HTTP/1.1 ") <= 1, (case, said[:2000])
    # A request in HTTP/0.9 has no header and so no host; neither has the answer.
    assert b'"MISDIRECTED_REQUEST"' in front.raw(b"GET /\r\n", client=client_file)
    front.curl(SANDBOX, "/", client=client_file)
    nginx_front.wait_until(lambda: handed_on(front, certificate) == len(UNUSUAL) + 1)
    nginx_front.wait_until(lambda: counted(certificate) == len(UNUSUAL) + 1)
    assert EndpointCall.objects.filter(certificate=certificate).count() == len(UNUSUAL) + 1


def test_pipelined_requests_are_answered_in_order(front: Front, client_file: Path) -> None:
    live_credential(client_file)
    pair = [f"GET /status/{status} HTTP/1.1\r\nHost: {SANDBOX}\r\n\r\n" for status in (418, 299)]
    said = front.raw("".join(pair).encode(), client=client_file)
    assert said.index(b"HTTP/1.1 418") < said.index(b"HTTP/1.1 299")


def test_what_nginx_refuses_comes_in_the_endpoints_envelope(front: Front) -> None:
    answer = nginx_front.read_answer(front.raw(f"GET / HTTP/1.1\r\nHost: {PRODUCTION}\r\n\r\n".encode()))
    assert (answer.status, answer.reason) == (421, "MISDIRECTED_REQUEST")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    answer = front.curl(SANDBOX, "/", "--header", f"X-Long: {'a' * 40_000}")
    assert (answer.status, answer.reason) == (431, "HEADER_TOO_LARGE")
    answer = front.curl(SANDBOX, "/" + "a" * 40_000)
    assert (answer.status, answer.reason) == (431, "HEADER_TOO_LARGE")


@pytest.mark.parametrize("days_ago", [0, 500], ids=["accepted", "expired"])
def test_a_hundred_megabytes_are_refused_before_they_are_sent(front: Front, client_file: Path, days_ago: int) -> None:
    live_credential(client_file, now=timezone.now() - timedelta(days=days_ago))
    said = front.raw(f"{HEAD}Content-Length: 100000000\r\n\r\n".encode(), client=client_file)
    answer = nginx_front.read_answer(said)
    assert (answer.status, answer.reason) == (413, "REQUEST_TOO_LARGE")


def at_hand(connection: ssl.SSLSocket) -> bytes:
    """What can be read without waiting."""
    connection.setblocking(False)
    try:
        return connection.recv(65536)
    except ssl.SSLWantReadError:
        return b""
    finally:
        connection.settimeout(GUARD_SECONDS)


@pytest.mark.parametrize("days_ago", [0, 500], ids=["accepted", "expired"])
def test_a_hundred_megabytes_in_chunks_are_refused_early(front: Front, client_file: Path, days_ago: int) -> None:
    live_credential(client_file, now=timezone.now() - timedelta(days=days_ago))
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    taken, said = 0, b""
    with front.connect(SANDBOX, client=client_file) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        while taken < 100_000_000 and not said:
            connection.sendall(chunk)
            taken += 65536
            said = at_hand(connection)
    assert taken < 50_000_000
    assert said.startswith(b"HTTP/1.1 413")
    assert sum(file.stat().st_size for file in (front.folder / "nginx" / "body").iterdir()) < 2_000_000


def test_a_body_of_one_megabyte_is_echoed(front: Front, client_file: Path) -> None:
    live_credential(client_file)
    body = client_file.with_name("body")
    body.write_bytes(b"x" * 1024 * 1024)
    answer = front.curl(SANDBOX, "/echo", "--data-binary", f"@{body}", client=client_file)
    assert answer.status == 200
    assert answer.json["bodyBytes"] == 1024 * 1024


@contextlib.contextmanager
def idle_and_slow(front: Front) -> Iterator[None]:
    """500 connections that say nothing, 50 that stop in their header, and 50 that stop in their body."""
    with contextlib.ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(socket.create_connection(("127.0.0.1", front.https), timeout=GUARD_SECONDS))
        for number in range(100):
            connection = stack.enter_context(front.connect(SANDBOX))
            begun = "X-Begun: " if number % 2 else "Content-Length: 100\r\n\r\nbegun"
            connection.sendall(f"{HEAD}{begun}".encode())
        yield


def test_others_are_answered_beside_idle_and_slow_clients(front: Front, client_file: Path) -> None:
    live_credential(client_file)
    with idle_and_slow(front):
        for _ in range(5):
            assert front.curl(SANDBOX, "/", "--max-time", "20", client=client_file).reason == "CLIENT_CERT_ACCEPTED"
        assert front.curl(PORTAL, "/healthz", "--max-time", "20").body == b"alive\n"


def test_a_slow_header_ends_after_ten_seconds(front: Front) -> None:
    """Octet by octet: each comes in time, and the whole does not."""
    with front.connect(SANDBOX) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {SANDBOX}\r\nX-Slow: ".encode())
        connection.settimeout(1)
        last_moment = time.monotonic() + GUARD_SECONDS
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while time.monotonic() < last_moment:
                connection.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1):
                        break
        assert time.monotonic() < last_moment, "nginx waited for ever"


def test_one_address_holds_so_many_requests_and_no_more(front: Front, client_file: Path, tmp_path: Path) -> None:
    live_credential(client_file)
    folder = tmp_path / "limited"
    folder.mkdir()
    with nginx_front.another_nginx(front, folder, {"NGINX_CONNECTIONS_PER_ADDRESS": "3"}) as limited:
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                connection = stack.enter_context(limited.connect(SANDBOX))
                connection.sendall(f"{HEAD}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode())
                # Only then it has its place: a request that came while curl has the last one would be refused itself.
                assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
                connection.sendall(b"begun")
            answer = limited.curl(SANDBOX, "/", client=client_file)
            assert answer.status == 429
            assert answer.reason == "TOO_MANY_REQUESTS"
            assert json.loads(answer.body)["Errors"]["Error"][0]["Recoverable"] is True
        nginx_front.wait_until(lambda: limited.curl(SANDBOX, "/", client=client_file).status == 200)


def test_tls_1_2_is_off_by_a_variable(front: Front, tmp_path: Path) -> None:
    folder = tmp_path / "modern"
    folder.mkdir()
    older = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    older.check_hostname, older.verify_mode = False, ssl.CERT_NONE
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with nginx_front.another_nginx(front, folder, {"NGINX_TLS_PROTOCOLS": "TLSv1.3"}) as modern:
        with pytest.raises(ssl.SSLError, match="protocol version"):
            modern.connect(SANDBOX, context=older)
        assert modern.curl(SANDBOX, "/").reason == "CLIENT_CERT_MISSING"
        with pytest.raises(ssl.SSLError, match="protocol version"):
            modern.connect(PORTAL, context=older)


def test_without_a_known_name_there_is_no_handshake(front: Front) -> None:
    for name in (None, "evil.example"):
        with pytest.raises(ssl.SSLError, match="unrecognized name"):
            front.connect(name)
