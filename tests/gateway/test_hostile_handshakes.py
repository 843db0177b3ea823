"""Handshakes that nobody should make: each gets a verdict or a clean alert, and others are answered meanwhile."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateway.odd_clients import ODD, chain_in, large, odd, several
from tests.gateway.tiny_server import TinyServer
from tests.gateway.tls_client import Response, connect, context, get, read_response, request
from tests.gateway_server import LiveGateway

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
each_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
# What is worse about them than an issuer that nobody knows.
EXPECTED = {
    "SHA-1": "INVALID_CLIENT_CERT",
    "MD5": "INVALID_CLIENT_CERT",
    "1024 bits": "CLIENT_CERT_WEAK_KEY",
    "a CA": "CLIENT_CERT_WRONG_PURPOSE",
}


@each_version
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_whatever_a_client_proves_reaches_the_verdict_as_it_was_sent(
    make: Callable[[Path], Path], version: ssl.TLSVersion, tiny_server: TinyServer, tmp_path: Path
) -> None:
    file = make(tmp_path)
    tls = context(tiny_server.ca_file, certificate=file, version=version, level=0)
    answer = get(tiny_server.port, tls).json
    assert answer["chain"] == chain_in(file)
    assert answer["chain_is_whole"] is True
    assert answer["tls_version"] == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]


@each_version
def test_of_many_certificates_ten_are_taken(version: ssl.TLSVersion, tiny_server: TinyServer, tmp_path: Path) -> None:
    file = several(tmp_path, 40)
    answer = get(tiny_server.port, context(tiny_server.ca_file, certificate=file, version=version)).json
    assert answer["chain"] == chain_in(file)[:10]
    assert answer["chain_is_whole"] is False


@each_version
def test_more_than_openssl_takes_is_an_alert(version: ssl.TLSVersion, tiny_server: TinyServer, tmp_path: Path) -> None:
    file = large(tmp_path, 200 * 1024)
    with pytest.raises((ssl.SSLError, OSError)):
        get(tiny_server.port, context(tiny_server.ca_file, certificate=file, version=version))
    assert get(tiny_server.port, context(tiny_server.ca_file)).status == 200


@pytest.mark.usefixtures("transactional_db")
def test_each_of_them_has_a_verdict(live_gateway: LiveGateway, tmp_path: Path) -> None:
    codes: dict[str, set[str]] = {}
    for name, make in ODD.items():
        folder = tmp_path / name
        folder.mkdir()
        file = make(folder)
        for version in VERSIONS.values():
            tls = context(live_gateway.ca_file, certificate=file, version=version, level=0)
            answer = get(live_gateway.ports["sandbox"], tls)
            assert answer.status == 403, name
            codes.setdefault(name, set()).add(answer.code)
    assert all(len(found) == 1 for found in codes.values())
    assert codes == {name: {EXPECTED.get(name, "CLIENT_CERT_UNKNOWN_ISSUER")} for name in ODD}
    assert "Traceback" not in live_gateway.said()


class InMemory:
    """A TLS client whose octets pass through our hands before they are sent."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def next_flight(self, received: bytes) -> bytes:
        """What it sends next, once it has received that."""
        self.incoming.write(received)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return self.outgoing.read()
        return self.outgoing.read()


def second_flight(plain: socket.socket, client: InMemory) -> bytes:
    """Begin a handshake up to the flight with which a client shows its certificate."""
    plain.sendall(client.next_flight(b""))
    while True:
        flight = client.next_flight(plain.recv(65536))
        if flight:
            return flight


def spoil_length(der: bytes) -> bytes:
    return der[:2] + b"\xff\xff" + der[4:]


def spoil_algorithm(der: bytes) -> bytes:
    return der[:20] + bytes(len(der) - 20)


def rubbish(der: bytes) -> bytes:
    return b"\xa5" * len(der)


@pytest.mark.parametrize("spoil", [spoil_length, spoil_algorithm, rubbish])
def test_a_malformed_certificate_is_a_clean_alert(
    spoil: Callable[[bytes], bytes], tiny_server: TinyServer, tmp_path: Path
) -> None:
    file = odd(tmp_path)
    der = bytes.fromhex(chain_in(file)[0])
    tls = context(tiny_server.ca_file, certificate=file, version=ssl.TLSVersion.TLSv1_2)
    with socket.create_connection(("127.0.0.1", tiny_server.port), timeout=30) as plain:
        flight = second_flight(plain, InMemory(tls))
        assert der in flight, "TLS 1.2 shows a certificate in clear"
        plain.sendall(flight.replace(der, spoil(der)))
        answer = plain.recv(65536)
    assert answer[:1] == b"\x15", "an alert"
    assert answer[5:6] == b"\x02", "a fatal one"
    assert get(tiny_server.port, context(tiny_server.ca_file)).status == 200


@each_version
def test_a_certificate_without_its_key_proves_nothing(
    version: ssl.TLSVersion, tiny_server: TinyServer, tmp_path: Path
) -> None:
    file = odd(tmp_path)
    tls = context(tiny_server.ca_file, certificate=file, version=version)
    with socket.create_connection(("127.0.0.1", tiny_server.port), timeout=30) as plain:
        client = InMemory(tls)
        flight = bytearray(second_flight(plain, client))
        flight[-60] ^= 1  # In 1.2 the end of its signature or its Finished, in 1.3 what is encrypted.
        plain.sendall(flight)
        plain.sendall(request())
        assert b"HTTP/1.1" not in plain.recv(65536)


@each_version
def test_a_client_may_go_at_any_moment(version: ssl.TLSVersion, tiny_server: TinyServer, tmp_path: Path) -> None:
    tls = context(tiny_server.ca_file, certificate=odd(tmp_path), version=version)
    first = len(InMemory(tls).next_flight(b""))
    for cut in (0, 1, 5, 6, first // 2, first - 1):
        with socket.create_connection(("127.0.0.1", tiny_server.port), timeout=30) as plain:
            plain.sendall(InMemory(tls).next_flight(b"")[:cut])
            reset(plain, cut)
    for share in (0, 1, 20, 50, 90, 100):
        with socket.create_connection(("127.0.0.1", tiny_server.port), timeout=30) as plain:
            flight = second_flight(plain, InMemory(tls))
            plain.sendall(flight[: len(flight) * share // 100])
            reset(plain, share)
    for sent in (b"", b"G", request()[:-2], request(), request("/sleep?0.2"), request(method="POST", body=b"ab")[:-1]):
        with connect(tiny_server.port, tls) as connection:
            connection.sendall(sent)
            reset(connection, len(sent))
    assert get(tiny_server.port, context(tiny_server.ca_file)).status == 200
    assert "Traceback" not in tiny_server.said()


def reset(connection: socket.socket, number: int) -> None:
    """Go, every other time without a good-bye in TCP either."""
    if number % 2:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00" * 5000,
        b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000,
        b"\x80\x2e\x01",
    ],
    ids=["plain HTTP", "zeros", "an endless record", "SSL 2"],
)
def test_what_is_no_tls_ends_at_once(sent: bytes, hasty_server: TinyServer) -> None:
    with socket.create_connection(("127.0.0.1", hasty_server.port), timeout=30) as plain:
        try:
            plain.sendall(sent)
            while answer := plain.recv(65536):
                assert not answer.startswith(b"HTTP/")
        except ConnectionError:
            pass
    assert get(hasty_server.port, context(hasty_server.ca_file)).status == 200


def test_random_octets_harm_nobody(tiny_server: TinyServer) -> None:
    for number in range(50):
        with socket.create_connection(("127.0.0.1", tiny_server.port), timeout=30) as plain:
            plain.sendall((b"", b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc")[number % 2] + os.urandom(500))
    assert get(tiny_server.port, context(tiny_server.ca_file)).status == 200
    assert "Traceback" not in tiny_server.said()


def test_renegotiation_is_refused(tiny_server: TinyServer) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{tiny_server.port}", "-tls1_2"]
    done = subprocess.run(
        [*command, "-CAfile", str(tiny_server.ca_file)],
        input=b"R\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"RENEGOTIATING" in done.stdout + done.stderr
    assert b"no renegotiation" in done.stderr
    assert get(tiny_server.port, context(tiny_server.ca_file)).status == 200


@each_version
def test_no_session_is_resumed_and_no_ticket_given(
    version: ssl.TLSVersion, tiny_server: TinyServer, tmp_path: Path
) -> None:
    tls = context(tiny_server.ca_file, certificate=odd(tmp_path), version=version)
    with connect(tiny_server.port, tls) as first:
        first.sendall(request())
        answer: Response = read_response(first)
        session = first.session
        assert session is None or (not session.has_ticket and session.ticket_lifetime_hint == 0)
    with connect(tiny_server.port, tls, session) as second:
        assert not second.session_reused
        second.sendall(request())
        assert read_response(second).json["chain"] == answer.json["chain"] != []


def test_openssl_sees_no_ticket_either(tiny_server: TinyServer) -> None:
    for option in ("-tls1_2", "-tls1_3"):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{tiny_server.port}", option, "-ign_eof"]
        sent = request(headers="Connection: close\r\n")
        done = subprocess.run(command, input=sent, capture_output=True, timeout=60, check=False)
        assert b"200 OK" in done.stdout
        assert b"Session Ticket arrived" not in done.stdout
        assert b"TLS session ticket:" not in done.stdout
        assert b"No client certificate CA names sent" in done.stdout
        assert b"Compression: NONE" in done.stdout
