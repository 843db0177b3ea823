"""The endpoint's server by real sockets: who is slow, silent, greedy or crooked harms nobody else."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from config.run.ready import NotReady, check_endpoint
from tests.gateway.tiny_server import TinyServer, running
from tests.gateway.tls_client import connect, context, get, read_response, read_to_end, request
from tests.gateway_server import free_ports

MIB = 1024 * 1024
# How the first message of a handshake begins: a record of 512 octets, version 1.2 inside.
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00"


def is_answered(server: TinyServer, path: str = "/") -> bool:
    return get(server.port, context(server.ca_file), path).status == 200


def test_an_honest_client_is_answered_behind_500_idle_connections_and_a_slowloris(tiny_server: TinyServer) -> None:
    tls = context(tiny_server.ca_file)
    with ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(connect(tiny_server.port, tls))
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", tiny_server.port), timeout=30))
            for _ in range(50)
        ]
        slow = [stack.enter_context(connect(tiny_server.port, tls)) for _ in range(50)]
        for letter, octet in zip(request()[:12], CLIENT_HELLO, strict=True):
            with suppress(OSError):  # On a slow machine their time may be over before they have sent all of it.
                for one in slow:
                    one.send(bytes([letter]))
                for plain in silent:
                    plain.send(bytes([octet]))
            assert is_answered(tiny_server)


def test_the_thread_of_the_network_waits_for_no_answer(hasty_server: TinyServer) -> None:
    tls = context(hasty_server.ca_file)
    with connect(hasty_server.port, tls) as one, connect(hasty_server.port, tls) as two:
        for hanging in (one, two):  # Both of its threads are taken.
            hanging.sendall(request("/sleep?8"))
        last_moment = time.monotonic() + 60
        while (answer := get(hasty_server.port, tls)).status == 200:  # They may not have reached their threads yet.
            assert time.monotonic() < last_moment
        assert (answer.status, answer.code) == (503, "GATEWAY_BUSY")
        with connect(hasty_server.port, tls) as third:
            assert third.version() == "TLSv1.3"
        assert read_response(one).code == "GATEWAY_BUSY"
    last_moment = time.monotonic() + 60
    while not _has_free_thread(hasty_server):
        assert time.monotonic() < last_moment


def _has_free_thread(server: TinyServer) -> bool:
    return get(server.port, context(server.ca_file)).status == 200


def test_a_handshake_that_trickles_is_ended(hasty_server: TinyServer) -> None:
    with socket.create_connection(("127.0.0.1", hasty_server.port), timeout=30) as slow:
        for byte in CLIENT_HELLO + bytes(400):
            try:
                slow.send(bytes([byte]))
            except OSError:
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the server waited on and on")


@pytest.mark.parametrize("sent", ["GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "GET /", "\r\n"])
def test_headers_that_trickle_are_ended_with_408(hasty_server: TinyServer, sent: str) -> None:
    with connect(hasty_server.port, context(hasty_server.ca_file)) as slow:
        slow.sendall(sent.encode())
        slow.settimeout(0.2)
        for _ in range(100):
            try:
                slow.send(b"a")
                assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
            except TimeoutError:
                continue
            break
        else:
            raise AssertionError("the server waited on and on")


@pytest.mark.parametrize(
    "head", ["Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"], ids=["length", "chunks"]
)
def test_a_body_that_does_not_come_is_ended_with_408(hasty_server: TinyServer, head: str) -> None:
    with connect(hasty_server.port, context(hasty_server.ca_file)) as slow:
        slow.sendall(request("/echo", method="POST", headers=head))
        slow.sendall(b"1")
        assert read_response(slow).code == "REQUEST_TIMEOUT"
        assert read_to_end(slow) == b""


def test_an_idle_connection_is_closed(hasty_server: TinyServer) -> None:
    with connect(hasty_server.port, context(hasty_server.ca_file)) as idle:
        idle.sendall(request())
        assert read_response(idle).status == 200
        assert read_to_end(idle) == b""


def test_a_jump_of_the_systems_clock_moves_no_deadline(tmp_path: Path) -> None:
    with running(tmp_path, limits={"idle_seconds": 2}) as server:
        tls = context(server.ca_file)
        with connect(server.port, tls) as idle:
            idle.sendall(request())
            assert read_response(idle).status == 200
            assert is_answered(server, "/clock?-3600")
            assert read_to_end(idle) == b"", "back: it would wait an hour longer"
        with connect(server.port, tls) as waiting:
            waiting.sendall(request("/sleep?2"))
            assert is_answered(server, "/clock?3600")
            assert read_response(waiting).status == 200, "forward: its time would be over"


def test_a_client_that_does_not_say_goodbye_is_dropped(hasty_server: TinyServer) -> None:
    with connect(hasty_server.port, context(hasty_server.ca_file)) as stubborn:
        stubborn.sendall(request(headers="Connection: close\r\n"))
        assert read_response(stubborn).status == 200
        raw = socket.socket(fileno=stubborn.detach())  # Nobody answers the server's close_notify any more.
        with raw:
            raw.settimeout(30)
            assert len(read_to_end(raw)) < 100


def test_a_connection_serves_many_requests_in_order_and_tells_no_banner(tiny_server: TinyServer) -> None:
    with connect(tiny_server.port, context(tiny_server.ca_file)) as connection:
        connection.sendall(b"".join(request(f"/{number}") for number in range(20)))
        data = b""
        while data.count(b"HTTP/1.1 200 OK") < 20 or not data.endswith(b"}}"):
            data += connection.recv(65536)
    assert [data.index(f'"path": "/{number}"'.encode()) for number in range(20)] == sorted(
        data.index(f'"path": "/{number}"'.encode()) for number in range(20)
    )
    assert b"server:" not in data.lower().replace(b'"server', b"")
    assert b"twisted" not in data.lower()


def test_the_application_gets_the_call_and_no_header_can_forge_it(tiny_server: TinyServer) -> None:
    forged = "gateway.call: x\r\nX-Rehearsal-Client-Cert: y\r\nX_Forwarded_For: 10.0.0.1\r\n"
    with connect(tiny_server.production_port, context(tiny_server.ca_file)) as connection:
        connection.sendall(request(headers=forged))
        answer = read_response(connection).json
    assert (answer["environment"], answer["chain"], answer["client_address"]) == ("production", [], "127.0.0.1")
    assert (answer["scheme"], answer["tls_version"]) == ("https", "TLSv1.3")
    assert answer["cipher"].startswith("TLS_")


def test_what_breaks_in_the_application_is_not_told(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        with connect(server.port, context(server.ca_file)) as connection:
            connection.sendall(request("/break", headers="Connection: close\r\n"))
            answer = read_to_end(connection)
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"secret" not in answer
        assert is_answered(server)
        assert "something secret" in server.said()


@pytest.mark.parametrize(
    "limits", [{"connections_from_loopback": 3}, {"connections": 3}], ids=["from one address", "together"]
)
def test_there_are_only_so_many_connections(limits: dict[str, int], tmp_path: Path) -> None:
    with running(tmp_path, limits=limits) as server:
        tls = context(server.ca_file)
        with ExitStack() as stack:
            kept = [stack.enter_context(_connect_when_there_is_room(server, tls)) for _ in range(3)]
            with pytest.raises((OSError, ssl.SSLError)):
                connect(server.production_port, tls)
            for one in kept:
                one.sendall(request())
                assert read_response(one).status == 200
        _connect_when_there_is_room(server, tls).close()


def _connect_when_there_is_room(server: TinyServer, tls: ssl.SSLContext) -> ssl.SSLSocket:
    """The server learns a moment later than we do that a connection is closed."""
    last_moment = time.monotonic() + 60
    while True:
        try:
            return connect(server.port, tls)
        except OSError:
            assert time.monotonic() < last_moment
            time.sleep(0.05)


def wait_until_asleep(server: TinyServer) -> None:
    """Until the application has been given what asks it to sleep."""
    last_moment = time.monotonic() + 60
    while "Asleep" not in server.said():
        assert time.monotonic() < last_moment
        time.sleep(0.02)


def test_a_stop_sends_the_answer_that_is_under_way_and_takes_nothing_new(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        tls = context(server.ca_file)
        with connect(server.port, tls) as idle, connect(server.port, tls) as busy:
            busy.sendall(request("/sleep?1.5"))
            wait_until_asleep(server)
            server.process.terminate()
            assert read_response(busy).status == 200
            assert read_to_end(idle) == b""
        assert server.process.wait(30) == 0
        assert server.said().endswith("Ended\n")
        with pytest.raises(ConnectionRefusedError):
            connect(server.port, tls)
        assert "Traceback" not in server.said()


def test_the_launcher_waits_until_both_ports_answer_as_the_endpoint_does(tiny_server: TinyServer) -> None:
    with pytest.raises(NotReady, match=rf"at port {tiny_server.port} with status 200"):
        check_endpoint("127.0.0.1", [tiny_server.port])
    (closed,) = free_ports(1)
    with pytest.raises(NotReady, match=f"does not answer at port {closed}"):
        check_endpoint("127.0.0.1", [closed])


def test_a_stop_waits_for_no_answer_that_hangs(tmp_path: Path) -> None:
    with running(tmp_path, limits={"stop_seconds": 0.5}) as server:
        with connect(server.port, context(server.ca_file)) as hanging:
            hanging.sendall(request("/sleep?3600"))
            wait_until_asleep(server)
            assert server.stop() == 0
        assert server.said().endswith("Ended\n")
