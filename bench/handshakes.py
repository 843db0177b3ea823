"""The live endpoint against nginx doing the same on this machine: full handshakes, and requests on open connections.

Both ask for a client certificate and take any, with the same server key, session tickets and cache off, TLS 1.3, one
process each. nginx answers a fixed JSON of the length of ours without looking at the certificate, where the endpoint
judges it from the database. The client is one process as well, and shares the machine's cores with whom it measures, so
that the ratios say more than the figures.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.utils import timezone

from bench.report import Result, percentile
from bench.tls_client import Spent, Target, context_with, handshakes, requests, whoami
from bench.web import free_port
from certauthority import server_certificates
from certauthority.x509.export import pem_bundle
from certauthority.x509.requests import new_private_key
from tests.factories import make_company, make_credential, make_csr, make_project, make_user

ROUNDS, ROUND_SECONDS = 5, 2.0
START_SECONDS = 60
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_verify_client optional_no_ca;
        ssl_session_tickets off;
        ssl_conf_command NumTickets 0;
        ssl_session_cache off;
        keepalive_requests 1000000;
        location / {{ default_type application/json; return 200 '{answer}'; }}
    }}
}}
"""


@dataclass(slots=True)
class Measured:
    """What one server did, round by round."""

    handshakes: list[Spent] = field(default_factory=list)
    requests: list[Spent] = field(default_factory=list)


def measure() -> Iterator[Result]:
    """Figures of both, where nginx is there, and their ratios. There is no limit."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as servers:
        client = client_certificate(Path(directory))
        tls = context_with(client)
        targets = {"endpoint": Target(servers.enter_context(_endpoint(Path(directory))), "localhost", client)}
        if NGINX is not None:
            answer = _answer(len(whoami(targets["endpoint"], tls)))
            targets["nginx"] = Target(
                servers.enter_context(_nginx(NGINX, Path(directory), answer)), "localhost", client
            )
        found = {name: Measured() for name in targets}
        for round_number in range(ROUNDS + 1):
            for name, target in targets.items():
                # The first round fills caches and is not counted.
                measured = found[name] if round_number else Measured()
                measured.handshakes.append(handshakes(target, tls, seconds=ROUND_SECONDS))
                measured.requests.append(requests(target, tls, seconds=ROUND_SECONDS))
    for name, measured in found.items():
        yield _line(f"mTLS handshakes, {name}", measured.handshakes)
        yield _line(f"mTLS requests on an open connection, {name}", measured.requests)
    yield from _ratios(found)


def _ratios(found: dict[str, Measured]) -> Iterator[Result]:
    if "nginx" not in found:
        yield Result("mTLS: endpoint against nginx", "nginx is not installed here")
        return
    ours, theirs = found["endpoint"], found["nginx"]
    for name, one, other in (
        ("handshakes", ours.handshakes, theirs.handshakes),
        ("requests", ours.requests, theirs.requests),
    ):
        yield Result(f"mTLS {name}: endpoint against nginx", f"{_rate(one) / _rate(other):.2f}")


def _rate(rounds: list[Spent]) -> float:
    return statistics.median(spent.rate for spent in rounds)


def _line(name: str, rounds: list[Spent]) -> Result:
    each = [one * 1000 for spent in rounds for one in spent.each]
    return Result(name, f"{_rate(rounds):.0f}/s, p50 {percentile(each, 50):.2f} ms, p99 {percentile(each, 99):.2f} ms")


def _answer(length: int) -> str:
    """An answer as long as the endpoint's own, of characters that nginx's configuration takes."""
    return f'{{"verdict": "{"a" * (length - 15)}"}}'


def client_certificate(folder: Path) -> Path:
    """A live sandbox certificate with its key and its CA."""
    company = make_company(name="Bench Handshakes Ltd", cid="975310", group_email="h@bench.example")
    project = make_project(admin=make_user(email="handshakes@bench.example", company=company), name="Handshakes")
    key = new_private_key()
    certificate = make_credential(project, csr=make_csr(project, key=key)).certificate
    if certificate.authority is None:
        raise RuntimeError("The certificate has no authority")
    chain = [bytes(certificate.der), bytes(certificate.authority.certificate.der)]
    path = folder / "client.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + pem_bundle(chain).encode())
    return path


@contextmanager
def _endpoint(folder: Path) -> Iterator[int]:
    """The endpoint as `make run` starts it; its sandbox port."""
    server_certificates.certify_if_due(now=timezone.now())
    ports = {"GATEWAY_PORT": str(free_port()), "GATEWAY_PROD_PORT": str(free_port())}
    environment = {**os.environ, **ports, "OPENSSL_CONF": "gateway/openssl.cnf"}
    with (folder / "endpoint.log").open("wb") as log:
        command = [sys.executable, "manage.py", "serve_gateway"]
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log)
    with _ending(process, int(ports["GATEWAY_PORT"])):
        yield int(ports["GATEWAY_PORT"])


@contextmanager
def _nginx(program: str, folder: Path, answer: str) -> Iterator[int]:
    """nginx with one worker; its port."""
    port = free_port()
    chain, key = server_certificates.chain_path(), server_certificates.key_path()
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, chain=chain, key=key, answer=answer))
    process = subprocess.Popen([program, "-c", str(configuration), "-p", str(folder)], stderr=subprocess.DEVNULL)
    with _ending(process, port):
        yield port


@contextmanager
def _ending(process: subprocess.Popen[bytes], port: int) -> Iterator[None]:
    last_moment = time.monotonic() + START_SECONDS
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > last_moment:
                    raise
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
