"""TLS of the endpoint: its versions, its certificate and the renewal of that while it serves, and what it logs."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from OpenSSL import SSL

from gateway.handshake_log import HandshakeLog
from gateway.limits import Admission, Buffers, Limits, plain_address
from gateway.tls import EndpointTls, server_context
from tests.gateway.tiny_server import TinyServer, running
from tests.gateway.tls_client import connect, context, get
from tests.tls_servers import server_certificate


def handshake(server: TinyServer, *options: str) -> subprocess.CompletedProcess[bytes]:
    """What `openssl s_client` says of a handshake, at a level where it offers whatever it can."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-cipher", "ALL:@SECLEVEL=0", *options]
    return subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(tiny_server: TinyServer, option: str) -> None:
    done = handshake(tiny_server, option)
    assert b"alert protocol version" in done.stderr
    assert b"Cipher is (NONE)" in done.stdout


@pytest.mark.parametrize(("option", "version"), [("-tls1_2", b"TLSv1.2"), ("-tls1_3", b"TLSv1.3")])
def test_both_new_ones_are_spoken(tiny_server: TinyServer, option: str, version: bytes) -> None:
    assert b"New, TLSv1." in handshake(tiny_server, option).stdout
    assert version in handshake(tiny_server, option).stdout


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256", "aNULL"])
def test_weak_suites_are_refused_although_weak_certificates_are_not(tiny_server: TinyServer, cipher: str) -> None:
    done = handshake(tiny_server, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert b"Cipher is (NONE)" in done.stdout


def test_http_1_1_is_chosen_where_it_is_offered(tiny_server: TinyServer) -> None:
    assert b"ALPN protocol: http/1.1" in handshake(tiny_server, "-alpn", "h2,http/1.1").stdout
    assert b"No ALPN negotiated" in handshake(tiny_server, "-alpn", "h2").stdout


def test_without_tls_1_2_only_1_3_is_spoken(tmp_path: Path) -> None:
    with running(tmp_path, tls12=False) as server:
        assert get(server.port, context(server.ca_file)).json["tls_version"] == "TLSv1.3"
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
            connect(server.port, context(server.ca_file, version=ssl.TLSVersion.TLSv1_2))


def test_a_renewed_certificate_is_taken_into_use_without_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "server", reload_seconds=0) as server:
        open_before = connect(server.port, context(server.ca_file))
        (tmp_path / "new").mkdir()
        chain, key = server_certificate(tmp_path / "new")
        shutil.copy(chain, server.ca_file.with_suffix(".fresh"))
        shutil.copy(key, server.key_file)
        # Between the two files they do not belong together: the old certificate goes on serving.
        old = ssl.PEM_cert_to_DER_cert(server.ca_file.read_text())
        assert served_certificate(server) == old
        server.ca_file.with_suffix(".fresh").rename(server.ca_file)
        assert served_certificate(server) == ssl.PEM_cert_to_DER_cert(chain.read_text()) != old
        open_before.close()
        server.ca_file.unlink()
        assert served_certificate(server) == ssl.PEM_cert_to_DER_cert(chain.read_text())
        said = server.said()
        assert "The endpoint's new certificate cannot be used" in said
        assert "The endpoint's new certificate is in use." in said
        assert "PRIVATE KEY" not in said


def served_certificate(server: TinyServer) -> bytes:
    """DER of the certificate that a new connection sees."""
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    with connect(server.port, blind) as connection:
        return connection.getpeercert(binary_form=True) or b""


def test_the_files_are_looked_at_once_a_minute_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    chain, key = server_certificate(tmp_path)
    tls = EndpointTls(chain=chain, key=key, tls12=True)
    first = tls.serverConnectionForTLS(None).get_context()
    other_chain, other_key = server_certificate(_made(tmp_path / "other"))
    shutil.copy(other_chain, chain)
    shutil.copy(other_key, key)
    now += 59
    assert tls.serverConnectionForTLS(None).get_context() is first
    now += 2
    assert tls.serverConnectionForTLS(None).get_context() is not first


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize("missing", ["chain", "key", "match"])
def test_files_that_do_not_serve_are_refused(tmp_path: Path, missing: str) -> None:
    chain, key = server_certificate(tmp_path)
    if missing == "match":
        _, key = server_certificate(_made(tmp_path / "other"))
    else:
        {"chain": chain, "key": key}[missing].unlink()
    with pytest.raises((OSError, SSL.Error)):
        server_context(chain=chain, key=key, tls12=True)


def test_a_failed_handshake_is_one_line_with_its_reason(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        handshake(server, "-tls1_1")
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            plain.recv(100)
        assert server.stop() == 0
        lines = [line for line in server.said().splitlines() if "failed" in line]
    assert len(lines) == 2
    assert "A handshake with 127.0.0.1 failed: unsupported protocol." in lines[0]
    assert "A handshake with 127.0.0.1 failed: http request." in lines[1]


def test_many_failed_handshakes_are_counted_instead_of_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    minute = 60.0
    monkeypatch.setattr(time, "monotonic", lambda: minute)
    caplog.set_level(logging.INFO, "gateway.handshake_log")
    log, error = HandshakeLog(lines_a_minute=2), SSL.Error([("", "", "no shared cipher")])
    for _ in range(10):
        log.failed("192.0.2.1", error)
    assert caplog.messages == ["A handshake with 192.0.2.1 failed: no shared cipher."] * 2
    minute += 60
    log.failed("192.0.2.2", error)
    assert caplog.messages[2:] == [
        "8 more handshakes failed.",
        "A handshake with 192.0.2.2 failed: no shared cipher.",
    ]
    log.failed("192.0.2.2", ConnectionError())
    assert len(caplog.messages) == 4, "whoever merely goes away is no news"


def test_other_machines_have_fewer_connections_than_this_one() -> None:
    admission = Admission(Limits(connections=6, connections_per_address=2, connections_from_loopback=4))
    for address, most in (("192.0.2.1", 2), ("2001:db8::1", 2)):
        for _ in range(most):
            assert admission.has_room_for(address)
            admission.enter(address)
        assert not admission.has_room_for(address)
    assert admission.has_room_for("127.0.0.1")
    admission.enter("127.0.0.1")
    admission.enter("::1")
    assert not admission.has_room_for("127.0.0.1"), "six together"
    admission.leave("192.0.2.1")
    assert admission.has_room_for("127.0.0.1")
    assert admission.has_room_for("192.0.2.1")


def test_a_network_of_ipv6_counts_as_one_client() -> None:
    admission = Admission(Limits(connections=6, connections_per_address=2))
    admission.enter("2001:db8::1")
    admission.enter("2001:db8::2:1")
    assert not admission.has_room_for("2001:db8::3")
    assert admission.has_room_for("2001:db8:0:1::1")
    admission.leave("2001:db8::2:1")
    assert admission.has_room_for("2001:db8::3")


def test_buffers_are_given_back() -> None:
    buffers = Buffers(10)
    assert buffers.take(6)
    assert not buffers.take(5)
    buffers.give_back(6)
    assert buffers.take(10)


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_addresses_are_written_in_one_way(host: str, plain: str) -> None:
    assert plain_address(host) == plain
