"""One message over HTTP: bounded in time and size, pinned to the address that was judged, and never led elsewhere."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from connect.webhooks import exchange
from connect.webhooks.destination import destination_of
from connect.webhooks.errors import NotReached, WebhookRefused
from tests.connect.webhook_receiver import Behaviour, Receiver, answer, dripping, endless, raw, receiving, silent
from tests.tls_servers import server_certificate

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(autouse=True)
def _private(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


def post(url: str, *, seconds: float = 5.0) -> exchange.Answer:
    return exchange.post(destination_of(url), b'{"a": 1}', {"Rehearsal-Delivery": "7"}, seconds=seconds)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: str | list[str]) -> list[str]:
    """Have the resolver answer so, one after the other; the names that it is asked for are returned."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *args: object, **options: object) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        addresses = [found] if isinstance(found, str) else found
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_message_arrives_whole() -> None:
    with receiving(answer(202, b"queued")) as receiver:
        found = post(receiver.url("/in/box?for=acme%20ltd"))
    assert found == exchange.Answer(202, "queued")
    (request,) = receiver.received
    assert request.line == "POST /in/box?for=acme%20ltd HTTP/1.1"
    assert request.body == b'{"a": 1}'
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["rehearsal-delivery"] == "7"
    assert request.headers["connection"] == "close"


def test_ipv6() -> None:
    with receiving(address="::1") as receiver:
        assert post(receiver.url(host="[::1]")).status == 200
    assert receiver.received[0].headers["host"] == f"[::1]:{receiver.port}"


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(silent, id="says-nothing"),
        pytest.param(dripping(b"", b"H", b""), id="drips-its-first-line"),
        pytest.param(dripping(HEAD, b"X: y\r\n", b"\r\n"), id="drips-headers"),
        pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"\r\n"), id="drips-100-continue"),
    ],
)
def test_who_takes_too_long_has_not_answered(behaviour: Behaviour) -> None:
    with receiving(behaviour) as receiver, pytest.raises(NotReached, match=r"no answer within 0\.4 seconds"):
        post(receiver.url(), seconds=0.4)
    assert len(receiver.received) == 1


def test_a_tls_handshake_in_drops_ends_as_well() -> None:
    """The handshake's first record says that 16 KiB follow, and then they come one by one."""

    first_record = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
    with receiving(dripping(first_record, b"\x00", b""), is_listening=False) as receiver:
        url = receiver.url().replace("http:", "https:")
        with pytest.raises(NotReached, match="no answer within"):
            post(url, seconds=0.4)


def test_a_receiver_that_never_reads_does_not_hold_the_sender() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        destination = destination_of(f"http://127.0.0.1:{server.getsockname()[1]}/")
        with pytest.raises(NotReached, match="no answer within"):
            exchange.post(destination, b"x" * 32 * 1024 * 1024, {}, seconds=0.4)


def test_what_follows_the_status_in_drops_is_no_failure() -> None:
    with receiving(dripping(HEAD + b"Content-Length: 9999\r\n\r\nthanks", b".", b"")) as receiver:
        found = post(receiver.url(), seconds=0.4)
    assert found.status == 200
    assert found.text.startswith("thanks.")


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(HEAD + b"\r\n", id="until-it-closes"),
        pytest.param(HEAD + b"Content-Length: 99999999999\r\n\r\n", id="with-a-length"),
    ],
)
def test_an_endless_answer_is_read_up_to_its_limit(before: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    readinto = exchange._Capped.readinto

    def counting(self: exchange._Capped, buffer: memoryview) -> int:
        seen.append(readinto(self, buffer))
        return seen[-1]

    monkeypatch.setattr(exchange._Capped, "readinto", counting)
    with receiving(endless(before, b"spam" * 4096)) as receiver:
        found = post(receiver.url(), seconds=15)
    assert found.status == 200
    assert len(found.text) == exchange.ANSWER_CHARACTERS
    assert sum(seen) == exchange.ANSWER_BYTES


def test_endless_chunks_are_read_up_to_the_limit() -> None:
    with receiving(endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nspam\r\n")) as receiver:
        assert post(receiver.url(), seconds=15).status == 200


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(endless(HEAD, b"X: y\r\n"), id="headers-without-end"),
        pytest.param(endless(b"", b"A" * 4096), id="a-line-without-end"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n"), id="another-protocol"),
        pytest.param(raw(b"HTTP/1.1 abc OK\r\n\r\n"), id="no-status"),
    ],
)
def test_what_is_no_http_is_named(behaviour: Behaviour) -> None:
    with receiving(behaviour) as receiver, pytest.raises(NotReached, match=r"no HTTP|closed without"):
        post(receiver.url(), seconds=15)


def test_a_connection_that_closes_early_is_named() -> None:
    with receiving(raw(b"")) as receiver, pytest.raises(NotReached, match="closed without an answer"):
        post(receiver.url())


def test_nothing_listens() -> None:
    with receiving() as receiver:
        url = receiver.url()
    with pytest.raises(NotReached, match="refused: nothing listens"):
        post(url)


def test_redirects_are_not_followed() -> None:
    with receiving() as elsewhere, receiving(answer(307, Location=elsewhere.url())) as receiver:
        assert post(receiver.url()).status == 307
    assert elsewhere.received == []


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        monkeypatch.delenv("no_proxy", raising=False)
        assert post(receiver.url()).status == 200
    assert proxy.received == []


class TestNames:
    def test_only_the_first_answer_of_the_resolver_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name server that answers with another address a moment later (DNS rebinding) is not asked."""
        with receiving() as judged, receiving(address="127.0.0.2", port=judged.port) as other:
            asked = resolve_to(monkeypatch, "127.0.0.1", "127.0.0.2")
            assert post(judged.url(host="hooks.example.com")).status == 200
        assert asked == ["hooks.example.com"]
        assert len(judged.received) == 1
        assert other.received == []
        assert judged.received[0].headers["host"] == f"hooks.example.com:{judged.port}"

    def test_a_name_that_turns_private_is_refused_at_its_next_message(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.WEBHOOK_ALLOW_PRIVATE = False
        resolve_to(monkeypatch, "127.0.0.1")
        with receiving() as receiver, pytest.raises(WebhookRefused, match="an address that is not public"):
            post(f"https://hooks.example.com:{receiver.port}/")
        assert receiver.received == []

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_one_private_address_among_public_ones_is_enough_to_refuse(
        self, place: int, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.WEBHOOK_ALLOW_PRIVATE = False
        addresses = ["93.184.216.34", "2606:2800:220:1::1"]
        addresses.insert(place, "10.0.0.5")
        resolve_to(monkeypatch, addresses)
        with pytest.raises(WebhookRefused) as refusal:
            post("https://hooks.example.com/")
        assert "10.0.0.5" not in str(refusal.value), "what a name inside stands for is nobody's business"

    def test_the_next_address_is_tried_where_the_first_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with receiving() as receiver:
            resolve_to(monkeypatch, ["127.0.0.3", "127.0.0.1"])
            assert post(receiver.url(host="hooks.example.com")).status == 200

    def test_a_name_that_does_not_exist(self) -> None:
        with pytest.raises(WebhookRefused, match=r"hooks\.invalid cannot be resolved"):
            post("https://hooks.invalid/")

    def test_a_resolver_that_hangs_does_not_hold_the_sender(self, monkeypatch: pytest.MonkeyPatch) -> None:
        over = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(20) and [])
        try:
            with pytest.raises(WebhookRefused, match="cannot be resolved"):
                post("https://hooks.example.com/", seconds=0.3)
        finally:
            over.set()


class TestTls:
    @pytest.fixture
    def secure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """A receiver at https://localhost whose certificate the machine trusts."""
        certificate, key = server_certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with receiving(tls=(str(certificate), str(key))) as receiver:
            yield receiver

    def test_a_trusted_certificate_of_the_name(self, secure: Receiver) -> None:
        assert post(secure.url(host="localhost")).status == 200
        assert secure.received[0].headers["host"] == f"localhost:{secure.port}"

    def test_the_name_is_checked_although_the_connection_goes_to_an_address(
        self, secure: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolve_to(monkeypatch, "127.0.0.1")
        with pytest.raises(NotReached, match=r"not trusted: .*hooks\.example\.com"):
            post(secure.url(host="hooks.example.com"))
        assert secure.received == []

    def test_an_unknown_issuer_is_refused(self, secure: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(NotReached, match="Its certificate is not trusted"):
            post(secure.url(host="localhost"))
        assert secure.received == []

    def test_plain_http_where_tls_is_expected(self) -> None:
        with receiving(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), is_listening=False) as receiver:
            url = receiver.url().replace("http:", "https:")
            with pytest.raises(NotReached, match="TLS failed"):
                post(url)


def test_the_limits_are_those_of_the_documentation() -> None:
    text = Path("docs/webhooks.md").read_text()
    assert f"{exchange.SECONDS:g} seconds" in text
    assert f"{exchange.ANSWER_BYTES // 1024} KiB" in text
