"""A real TLS server on this machine that lets nobody in without a client certificate it trusts."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.utils import timezone

HANDSHAKE_SECONDS = 20


@dataclass(slots=True)
class TlsServer:
    """Where the server listens, what its clients must trust, and which certificates they have shown so far."""

    port: int
    ca_file: Path
    presented: list[bytes] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}/"


@contextmanager
def demanding_client_certificates(trusted: Sequence[bytes], folder: Path) -> Iterator[TlsServer]:
    """Serve HTTPS to clients whose certificate leads to one of these authorities (PEM), until the block ends.

    A client must send its intermediate certificates itself where only the root is trusted. Each answer is the common
    name of the client. A handshake that fails is noted in ``refused`` and serves nothing.
    """
    certificate, key = server_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=b"".join(trusted).decode("ascii"))
    seen = TlsServer(0, certificate)
    server = _Server(context, seen)
    seen.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(HANDSHAKE_SECONDS)


class _Greeting(BaseHTTPRequestHandler):
    """Tell a client who it has proved to be."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.connection, ssl.SSLSocket)
        presented = self.connection.getpeercert(binary_form=True)
        assert presented is not None, "the handshake demands a certificate"
        assert isinstance(self.server, _Server)
        self.server.seen.presented.append(presented)
        names = x509.load_der_x509_certificate(presented).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        body = str(names[0].value).encode() if names else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
        """Say nothing: what came is in ``presented``."""


class _Server(ThreadingHTTPServer):
    """HTTPS whose handshakes are made in the threads of the requests, so that none holds up another."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, seen: TlsServer) -> None:
        super().__init__(("localhost", 0), _Greeting)
        self.context = context
        self.seen = seen

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(HANDSHAKE_SECONDS)
        try:
            connection = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError) as problem:
            self.seen.refused.append(str(problem))
            return
        with connection:
            super().finish_request(connection, client_address)
            with suppress(OSError):
                connection.unwrap()  # Else a client that looks for it takes the end of the answer for an attack.

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is its own affair."""


def server_certificate(folder: Path) -> tuple[Path, Path]:
    """The server's own self-signed certificate for localhost, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = timezone.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    certificate_file, key_file = folder / "tls-server.pem", folder / "tls-server.key"
    certificate_file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file
