"""What nginx agrees on in TLS at all of its hosts: no ticket is given, and a revoked certificate does not come back."""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone

from audit.events import Actor
from certauthority.models import RevocationReason
from portal.revocation import revoke
from tests.gateway import nginx_front
from tests.gateway.nginx_front import PORTAL, PRODUCTION, SANDBOX, Front
from tests.gateway.test_nginx_verdicts import live_credential

GUARD_SECONDS = 60


def said_to_openssl(front: Front, host: str, version: str, *arguments: str) -> str:
    """What openssl tells of a connection on which one request is answered."""
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{front.https}", "-servername", host, f"-{version}"),
            *("-ign_eof", *arguments),
        ],
        input=f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode(),
        capture_output=True,
        timeout=GUARD_SECONDS,
        check=False,
    )
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_no_host_gives_a_ticket(front: Front, version: str) -> None:
    """Those of TLS 1.3 come after the handshake, so that openssl must wait for the answer to see them."""
    for host in (PORTAL, SANDBOX, PRODUCTION):
        said = said_to_openssl(front, host, version)
        assert re.search(r"^HTTP/1\.1 (302|401) ", said, re.MULTILINE), said
        assert "Session Ticket arrived" not in said, host
        assert "TLS session ticket:" not in said, host


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_client_has_no_session_to_come_back_with_once_it_is_revoked(
    front: Front, client_file: Path, tmp_path: Path, version: str
) -> None:
    credential = live_credential(client_file)
    kept = tmp_path / "session.pem"
    certificate = ("-cert", str(client_file), "-key", str(client_file), "-sess_out", str(kept))
    assert "CLIENT_CERT_ACCEPTED" in said_to_openssl(front, SANDBOX, version, *certificate)
    assert not kept.exists(), "openssl keeps every session that can be taken up again"
    revoke(credential, actor=Actor("alice@acme.example"), reason=RevocationReason.SUPERSEDED, now=timezone.now())
    said = said_to_openssl(front, SANDBOX, version, *certificate)
    assert "Reused, TLS" not in said
    assert "CLIENT_CERT_REVOKED" in said


def test_python_sees_no_ticket_either(front: Front, client_file: Path) -> None:
    live_credential(client_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(client_file)
    with front.connect(SANDBOX, context=context) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {SANDBOX}\r\nConnection: close\r\n\r\n".encode())
        assert b"200 OK" in nginx_front.everything(connection)
        assert connection.version() == "TLSv1.3"
        assert connection.session is None or not connection.session.has_ticket
