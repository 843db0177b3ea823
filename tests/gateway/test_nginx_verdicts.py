"""Every kind of verdict behind a real nginx, asked for with curl and real certificates."""

from __future__ import annotations

import ssl
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.utils import timezone

from audit.events import Actor
from certauthority.models import EndpointCall, RevocationReason
from certauthority.x509.requests import PrivateKey, new_private_key
from config import heartbeats
from portal.models import Credential, Environment
from portal.revocation import revoke
from tests.factories import make_credential, make_csr, make_project
from tests.gateway import nginx_front, past_nginx
from tests.gateway.certificates import trusted_ca
from tests.gateway.nginx_front import PRODUCTION, SANDBOX, Front, free_port
from tests.gateway.odd_certificates import SERVER, odd_certificate
from tests.portal.foreign_ca import name
from tests.portal.production_requests import give_production_access

# What the endpoint writes is at most five seconds behind.
GUARD_SECONDS = 60


def save(path: Path, der: bytes, key: PrivateKey) -> Path:
    """PEM of a certificate and its key, as curl takes it."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    path.write_text(ssl.DER_cert_to_PEM_cert(der) + pem)
    return path


def live_credential(path: Path, environment: Environment = Environment.SANDBOX, **fields: Any) -> Credential:
    """A credential whose certificate and key are in the file."""
    key = new_private_key()
    project = fields.pop("project", None) or make_project()
    credential = make_credential(project, environment, csr=make_csr(project, environment, key=key), **fields)
    save(path, bytes(credential.certificate.der), key)
    return credential


def huge_certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    """DER of a client certificate signed by itself, with an extension of 64,000 octets."""
    subject, now = name("huge.elsewhere.example"), timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), bytes(64_000)), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.DER)


def test_an_accepted_certificate_is_told_who_it_is(front: Front, client_file: Path) -> None:
    credential = live_credential(client_file)
    answer = front.curl(SANDBOX, "/whoami", client=client_file)
    assert (answer.status, answer.reason) == (200, "CLIENT_CERT_ACCEPTED")
    assert answer.json["certificate"]["serial"] == credential.certificate.serial
    assert answer.json["alias"] == credential.alias
    assert answer.json["clientAddress"] == "127.0.0.1"
    assert answer.json["tls"] == {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"}
    assert front.log_of(answer)["host"] == SANDBOX


def test_the_host_decides_the_environment(front: Front, client_file: Path) -> None:
    credential = live_credential(client_file)
    answer = front.curl(PRODUCTION, "/", client=client_file)
    assert (answer.status, answer.reason) == (403, "CLIENT_CERT_WRONG_ENVIRONMENT")
    assert front.url(SANDBOX) in answer.json["Errors"]["Error"][0]["Details"]
    give_production_access(credential.project)
    live_credential(client_file, Environment.PRODUCTION, project=credential.project)
    assert front.curl(PRODUCTION, "/", client=client_file).status == 200
    assert front.curl(SANDBOX, "/", client=client_file).reason == "CLIENT_CERT_WRONG_ENVIRONMENT"


def test_tls_1_2_is_named(front: Front, client_file: Path) -> None:
    live_credential(client_file)
    answer = front.curl(SANDBOX, "/whoami", "--tls-max", "1.2", client=client_file)
    assert answer.json["tls"] == {"version": "TLSv1.2", "cipher": "ECDHE-ECDSA-AES256-GCM-SHA384"}


def test_without_a_certificate(front: Front) -> None:
    answer = front.curl(SANDBOX, "/")
    assert (answer.status, answer.reason) == (401, "CLIENT_CERT_MISSING")
    assert front.log_of(answer)["client_verify"] == "NONE"


@pytest.mark.parametrize("body", [(), ("--data", "a=1")], ids=["get", "post"])
def test_an_expired_certificate_reaches_the_application(front: Front, client_file: Path, body: tuple[str, ...]) -> None:
    """nginx takes it for an error of its own (495), as it does with the next two."""
    credential = live_credential(client_file, now=timezone.now() - timedelta(days=500))
    answer = front.curl(SANDBOX, "/echo", *body, client=client_file)
    assert (answer.status, answer.reason) == (403, "CLIENT_CERT_EXPIRED")
    assert credential.alias in answer.json["Errors"]["Error"][0]["Description"]
    assert front.log_of(answer)["client_verify"] == "FAILED:certificate has expired"


def test_a_certificate_that_is_not_yet_valid(front: Front, client_file: Path) -> None:
    ca, key = trusted_ca(), new_private_key()
    save(client_file, odd_certificate(ca, key=key, begins_in_days=5), key)
    answer = front.curl(SANDBOX, "/", client=client_file)
    assert (answer.status, answer.reason) == (403, "CLIENT_CERT_NOT_YET_VALID")
    assert front.log_of(answer)["client_verify"] == "FAILED:certificate is not yet valid"


def test_a_certificate_for_servers(front: Front, client_file: Path) -> None:
    ca, key = trusted_ca(), new_private_key()
    save(client_file, odd_certificate(ca, key=key, purposes=SERVER), key)
    answer = front.curl(SANDBOX, "/", client=client_file)
    assert (answer.status, answer.reason) == (403, "CLIENT_CERT_WRONG_PURPOSE")


def test_a_certificate_that_is_on_no_project(front: Front, client_file: Path) -> None:
    ca, key = trusted_ca(), new_private_key()
    save(client_file, odd_certificate(ca, key=key), key)
    assert front.curl(SANDBOX, "/", client=client_file).reason == "CLIENT_CERT_NOT_ON_PROJECT"


def test_a_certificate_signed_by_itself(front: Front, client_file: Path) -> None:
    key = new_private_key()
    save(client_file, odd_certificate(None, key=key), key)
    answer = front.curl(SANDBOX, "/", client=client_file)
    assert (answer.status, answer.reason) == (403, "CLIENT_CERT_UNKNOWN_ISSUER")


def reason_for_careless_client(front: Front, client_file: Path) -> bytes:
    """What a client gets that uses any certificate: at the usual level of security none would send a weak one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(client_file)
    with front.connect(SANDBOX, context=context) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {SANDBOX}\r\nConnection: close\r\n\r\n".encode())
        said = nginx_front.everything(connection)
    assert said.startswith(b"HTTP/1.1 403")
    return said


def test_a_weak_key(front: Front, client_file: Path) -> None:
    ca, key = trusted_ca(), rsa.generate_private_key(65537, 1024)
    save(client_file, odd_certificate(ca, key=key), key)
    assert b"CLIENT_CERT_WEAK_KEY" in reason_for_careless_client(front, client_file)


def test_a_certificate_signed_with_sha_1(front: Front, client_file: Path) -> None:
    made = ["openssl", "req", "-x509", "-sha1", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sha1", "-days", "9"]
    key_file = client_file.with_name("key.pem")
    subprocess.run([*made, "-keyout", str(key_file), "-out", str(client_file)], check=True, capture_output=True)
    client_file.write_bytes(client_file.read_bytes() + key_file.read_bytes())
    assert b"INVALID_CLIENT_CERT" in reason_for_careless_client(front, client_file)


def test_a_certificate_of_64_kib(front: Front, client_file: Path) -> None:
    """It reaches the application whole, escaped and in a header."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = huge_certificate(key)
    assert len(der) > 64_000
    save(client_file, der, key)
    answer = front.curl(SANDBOX, "/", client=client_file)
    assert (answer.status, answer.reason) == (403, "CLIENT_CERT_UNKNOWN_ISSUER")


def test_a_revoked_certificate_is_refused_by_the_next_request(front: Front, client_file: Path) -> None:
    """On a new connection, and on one that was there before."""
    credential = live_credential(client_file)
    request = f"GET / HTTP/1.1\r\nHost: {SANDBOX}:{front.https}\r\nAccept: text/plain\r\n\r\n".encode()
    with front.connect(SANDBOX, client=client_file) as connection:
        connection.sendall(request)
        assert b"200 OK" in connection.recv(65536)
        revoke(credential, reason=RevocationReason.KEY_COMPROMISE, actor=Actor("alice"), now=timezone.now())
        connection.sendall(request)
        said = connection.recv(65536)
    assert said.startswith(b"HTTP/1.1 403")
    assert b"CLIENT_CERT_REVOKED" in said
    answer = front.curl(SANDBOX, "/", client=client_file)
    assert (answer.status, answer.reason) == (403, "CLIENT_CERT_REVOKED")


def test_no_session_is_taken_up_again(front: Front, client_file: Path) -> None:
    live_credential(client_file)
    for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, most
        context.load_cert_chain(client_file)
        session = None
        for _ in range(2):
            with front.connect(SANDBOX, context=context, session=session) as connection:
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {SANDBOX}\r\nConnection: close\r\n\r\n".encode())
                assert b"200 OK" in nginx_front.everything(connection)
                assert not connection.session_reused
                session = connection.session


def test_calls_are_counted_with_the_clients_own_address(front: Front, client_file: Path) -> None:
    credential = live_credential(client_file)
    front.curl(SANDBOX, "/", client=client_file)
    nginx_front.wait_until(lambda: EndpointCall.objects.filter(certificate=credential.certificate).exists())
    call = EndpointCall.objects.get(certificate=credential.certificate)
    assert (call.accepted, call.environment, call.client_address) == (True, "sandbox", "127.0.0.1")


def test_a_stopped_granian_loses_no_call(front: Front, client_file: Path) -> None:
    """A hundred calls, then SIGTERM at once: all hundred are in the database when the process has ended."""
    credential = live_credential(client_file)
    other = Front(front.folder, https=front.https, http=front.http, web=front.web, gateway=free_port())
    with nginx_front.granian(other, "config.gateway_wsgi:application", other.gateway) as process:
        nginx_front.wait_until_listening(other.gateway, process, front.folder / "nginx.out")
        headers = past_nginx.front_headers(bytes(credential.certificate.der))
        statuses = past_nginx.ask_directly(other.gateway, "/", headers, times=100)
        process.terminate()
        assert process.wait(GUARD_SECONDS) == 0
    assert statuses == [200] * 100
    hours = credential.certificate.use_hours.all()
    assert sum(hour.accepted for hour in hours) == 100


def test_the_endpoint_shows_every_ten_seconds_that_it_is_at_work(front: Front) -> None:
    nginx_front.wait_until(lambda: heartbeats.GATEWAY in heartbeats.read())
    assert heartbeats.GATEWAY not in heartbeats.problems(now=time.time())
