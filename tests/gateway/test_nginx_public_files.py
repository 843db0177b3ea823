"""CRLs, CA certificates and OCSP through nginx's cache: for as long as the application says, and no longer."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.x509 import ocsp
from django.utils import timezone

from certauthority.models import Authority, Certificate, RevocationList
from tests.certauthority.ocsp_client import issue, request_for, revoke
from tests.gateway.nginx_front import PORTAL, Front
from tests.gateway.tls_client import Response

GUARD_SECONDS = 60


def get(front: Front, request: bytes, *arguments: str) -> Response:
    path = f"/ocsp/developers/{quote(base64.b64encode(request).decode(), safe='')}"
    return front.curl(PORTAL, path, *arguments, scheme="http")


def post(front: Front, request: bytes, folder: Path) -> Response:
    body = folder / "request.der"
    body.write_bytes(request)
    sent = ("--header", "Content-Type: application/ocsp-request", "--data-binary", f"@{body}")
    return front.curl(PORTAL, "/ocsp/developers", *sent, scheme="http")


def status(answer: Response) -> str:
    found = ocsp.load_der_ocsp_response(answer.body)
    successful = found.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL
    return found.certificate_status.name if successful else found.response_status.name


def known_certificate(front: Front, folder: Path) -> Certificate:
    """One that the web server answers for: what it read of the responders may be a second old."""
    certificate = issue()
    last_moment = time.monotonic() + GUARD_SECONDS
    while status(post(front, request_for(certificate), folder)) != "GOOD":
        assert time.monotonic() < last_moment
        time.sleep(0.1)
    return certificate


def test_a_crl_is_kept_with_the_headers_of_the_application(front: Front) -> None:
    first = front.curl(PORTAL, "/ca/developers.crl", scheme="http")
    again = front.curl(PORTAL, "/ca/developers.crl", "--header", "Cookie: sessionid=any")
    other = front.curl(PORTAL, "/ca/developers.crl?busy=1", scheme="http")
    assert [answer.headers["x-cache-status"] for answer in (first, again, other)] == ["MISS", "HIT", "HIT"]
    assert first.body == again.body == other.body
    next_update = x509.load_der_x509_crl(first.body).next_update_utc
    assert next_update is not None
    assert next_update > datetime.now(UTC)
    for answer in (first, again):
        assert answer.headers["content-type"] == "application/pkix-crl"
        assert answer.headers["cache-control"] == "public, max-age=300, must-revalidate"
        assert "vary" not in answer.headers
    assert first.headers["date"] == again.headers["date"]  # From which the next cache counts its 300 seconds.
    assert first.headers["x-request-id"] != again.headers["x-request-id"]


def test_ca_certificates_are_kept(front: Front) -> None:
    answers = [front.curl(PORTAL, "/ca/kmp.crt", scheme="http") for _ in range(2)]
    assert [answer.headers["x-cache-status"] for answer in answers] == ["MISS", "HIT"]
    assert (
        x509.load_der_x509_certificate(answers[1].body).subject
        == x509.load_der_x509_certificate(bytes(Authority.objects.get(name="kmp").certificate.der)).subject
    )


def test_a_crl_is_never_kept_beyond_its_next_update(front: Front) -> None:
    end = timezone.now() + timedelta(seconds=10)
    RevocationList.objects.filter(authority__name="services").update(next_update=end)
    first = front.curl(PORTAL, "/ca/services.crl", scheme="http")
    assert first.status == 200
    seconds = int(first.headers["cache-control"].split("max-age=")[1].split(",")[0])
    assert parsedate_to_datetime(first.headers["date"]) + timedelta(seconds=seconds) <= end
    while timezone.now() < end:
        time.sleep(0.1)
    late = front.curl(PORTAL, "/ca/services.crl", scheme="http")
    assert (late.status, late.headers["cache-control"]) == (503, "no-store")


def test_what_is_not_there_is_not_kept(front: Front) -> None:
    for _ in range(2):
        answer = front.curl(PORTAL, "/ca/none.crl", scheme="http")
        assert (answer.status, answer.headers["x-cache-status"]) == (404, "MISS")


def test_ocsp_by_get_is_kept_and_revalidated(front: Front, tmp_path: Path) -> None:
    request = request_for(known_certificate(front, tmp_path))
    first, again = get(front, request), get(front, request)
    assert [answer.headers["x-cache-status"] for answer in (first, again)] == ["MISS", "HIT"]
    assert status(first) == "GOOD"
    assert first.body == again.body
    for header in ("cache-control", "etag", "expires", "last-modified", "date", "content-type"):
        assert first.headers[header] == again.headers[header], header
    seconds = int(first.headers["cache-control"].split(",")[0].removeprefix("max-age="))
    next_update = ocsp.load_der_ocsp_response(first.body).next_update_utc
    assert next_update is not None
    assert parsedate_to_datetime(again.headers["date"]) + timedelta(seconds=seconds) <= next_update
    unchanged = get(front, request, "--header", f"If-None-Match: {first.headers['etag']}")
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert unchanged.headers["x-cache-status"] == "HIT"


def test_ocsp_by_post_is_never_kept_and_says_revoked_at_once(front: Front, tmp_path: Path) -> None:
    certificate = known_certificate(front, tmp_path)
    request = request_for(certificate)
    assert status(get(front, request)) == "GOOD"
    revoke(certificate)
    answer = post(front, request, tmp_path)
    assert status(answer) == "REVOKED"
    assert "x-cache-status" not in answer.headers
    kept = get(front, request)
    assert kept.headers["x-cache-status"] == "HIT"
    # What the cache still says is what the application said that everybody may rely on, until then.
    age = datetime.now(UTC) - parsedate_to_datetime(kept.headers["date"])
    assert age < timedelta(seconds=300)


def test_answers_for_one_client_alone_are_not_kept(front: Front, tmp_path: Path) -> None:
    certificate = known_certificate(front, tmp_path)
    for _ in range(2):
        answer = get(front, request_for(certificate, nonce=b"n" * 16))
        assert (answer.headers["x-cache-status"], answer.headers["cache-control"]) == ("MISS", "no-store")
        malformed = front.curl(PORTAL, "/ocsp/developers/rubbish", scheme="http")
        assert malformed.headers["x-cache-status"] == "MISS"
        assert status(malformed) == "MALFORMED_REQUEST"


def test_an_ocsp_request_of_the_longest_kind_gets_through(front: Front) -> None:
    address = quote(base64.b64encode(bytes(range(256)) * 64).decode(), safe="")
    assert len(address) > 16 * 1024
    assert status(front.curl(PORTAL, f"/ocsp/developers/{address}", scheme="http")) == "MALFORMED_REQUEST"


def test_plain_http_is_understood_at_the_port_for_tls_too(front: Front) -> None:
    """A site on another port than 443 names its CRLs there (certauthority.profiles)."""
    head = f"Host: {PORTAL}:{front.https}\r\nConnection: close\r\n"
    crl = front.raw_plain(f"GET /ca/root.crl HTTP/1.1\r\n{head}\r\n".encode())
    assert crl.startswith(b"HTTP/1.1 200")
    assert b"application/pkix-crl" in crl
    page = front.raw_plain(f"GET /projects/ HTTP/1.1\r\n{head}\r\n".encode())
    assert page.startswith(b"HTTP/1.1 301")
    assert f"Location: {front.url(PORTAL)}/projects/".encode() in page
    large = front.raw_plain(f"POST /ocsp/root HTTP/1.1\r\n{head}Content-Length: 90000000\r\n\r\n".encode())
    assert large.startswith(b"HTTP/1.1 413")
