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
import ssl
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

from bench.report import Result
from bench.web import free_port, http_request
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
        ssl_session_cache off;
        keepalive_requests 1000000;
        location / {{ default_type application/json; return 200 '{answer}'; }}
    }}
}}
"""


@dataclass(slots=True)
class Measured:
    """What one server did, round by round: handshakes and requests in a second, and how long each took, in seconds."""

    handshake_rates: list[float] = field(default_factory=list)
    request_rates: list[float] = field(default_factory=list)
    handshakes: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)


def measure() -> Iterator[Result]:
    """Figures of both, where nginx is there, and their ratios. There is no limit."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as servers:
        client = _client_certificate(Path(directory))
        tls = _client_context(client)
        ports = {"endpoint": servers.enter_context(_endpoint(Path(directory)))}
        if NGINX is not None:
            answer = _answer(ports["endpoint"], tls)
            ports["nginx"] = servers.enter_context(_nginx(NGINX, Path(directory), answer))
        found = {name: Measured() for name in ports}
        for round_number in range(ROUNDS + 1):
            for name, port in ports.items():
                # The first round fills caches and is not counted.
                _measure_handshakes(port, tls, found[name] if round_number else Measured())
                _measure_requests(port, tls, found[name] if round_number else Measured())
    for name, measured in found.items():
        yield _line(f"mTLS handshakes, {name}", measured.handshake_rates, measured.handshakes)
        yield _line(f"mTLS requests on an open connection, {name}", measured.request_rates, measured.requests)
    yield from _ratios(found)


def _ratios(found: dict[str, Measured]) -> Iterator[Result]:
    if "nginx" not in found:
        yield Result("mTLS: endpoint against nginx", "nginx is not installed here")
        return
    ours, theirs = found["endpoint"], found["nginx"]
    for name, one, other in (
        ("handshakes", ours.handshake_rates, theirs.handshake_rates),
        ("requests", ours.request_rates, theirs.request_rates),
    ):
        ratio = statistics.median(one) / statistics.median(other)
        yield Result(f"mTLS {name}: endpoint against nginx", f"{ratio:.2f}")


def _line(name: str, rates: list[float], spent: list[float]) -> Result:
    ordered = sorted(spent)
    p50, p99 = ordered[len(ordered) // 2] * 1000, ordered[len(ordered) * 99 // 100] * 1000
    return Result(name, f"{statistics.median(rates):.0f}/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def _measure_handshakes(port: int, tls: ssl.SSLContext, measured: Measured) -> None:
    """Connect, shake hands in full, ask once, close: over and over."""
    sent, start, count = http_request("GET", "/whoami"), time.perf_counter(), 0
    while (began := time.perf_counter()) - start < ROUND_SECONDS:
        with _connect(port, tls) as connection:
            measured.handshakes.append(time.perf_counter() - began)
            connection.sendall(sent)  # In TLS 1.3 a server may still refuse after the client is done.
            _read(connection)
        count += 1
    measured.handshake_rates.append(count / (time.perf_counter() - start))


def _measure_requests(port: int, tls: ssl.SSLContext, measured: Measured) -> None:
    """One request after the other on one connection."""
    sent = http_request("GET", "/whoami")
    with _connect(port, tls) as connection:
        start, count = time.perf_counter(), 0
        while (began := time.perf_counter()) - start < ROUND_SECONDS:
            connection.sendall(sent)
            _read(connection)
            measured.requests.append(time.perf_counter() - began)
            count += 1
        measured.request_rates.append(count / (time.perf_counter() - start))


def _connect(port: int, tls: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(plain, server_hostname="localhost")


def _read(connection: ssl.SSLSocket) -> bytes:
    """The body of a response with status 200. Raises RuntimeError for another one, or none."""
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise RuntimeError("The server closed the connection")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"The server answered {data[:500]!r}")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return body


def _answer(port: int, tls: ssl.SSLContext) -> str:
    """An answer as long as the endpoint's own, of characters that nginx's configuration takes."""
    with _connect(port, tls) as connection:
        connection.sendall(http_request("GET", "/whoami"))
        return f'{{"verdict": "{"a" * (len(_read(connection)) - 15)}"}}'


def _client_certificate(folder: Path) -> Path:
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


def _client_context(certificate: Path) -> ssl.SSLContext:
    """It checks no server certificate: that would be the client's work, and the same for both."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(certificate)
    return tls


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
