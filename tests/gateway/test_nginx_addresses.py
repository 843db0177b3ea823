"""Whose requests under way nginx counts as one client's: an IPv4 address, and of IPv6 a network of 64 bits."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.run import nginx
from tests.gateway import nginx_front
from tests.gateway.nginx_front import PORTAL, Front

LIMIT = 2
# Loopback has one address of IPv6. So this nginx, and none but it, believes what a client says its address is.
BELIEVING = "set_real_ip_from 127.0.0.1;\nreal_ip_header X-Address;\n"
BEGUN = "POST /ocsp/root HTTP/1.1\r\nHost: {host}\r\nX-Address: {address}\r\nContent-Length: 100\r\n\r\nbegun"


@pytest.fixture
def limited(front: Front, tmp_path: Path) -> Iterator[Front]:
    """The production configuration with a limit of two requests, and with addresses that a test can choose."""
    folder = tmp_path / "limited"
    folder.mkdir()
    with nginx_front.another_nginx(
        front, folder, {"NGINX_CONNECTIONS_PER_ADDRESS": str(LIMIT)}, more={"limits.conf": BELIEVING}
    ) as other:
        yield other


def status(front: Front, address: str) -> int:
    """What somebody at this address is answered."""
    return front.curl(PORTAL, "/ca/root.pem", "--header", f"X-Address: {address}", scheme="http").status


def wait_for(front: Front, address: str, expected: int) -> None:
    """Until nginx has read what was sent, or has seen that it was closed."""
    nginx_front.wait_until(lambda: status(front, address) == expected)


@contextlib.contextmanager
def requests_under_way(front: Front, *addresses: str) -> Iterator[None]:
    """One from each of these, which stops in its body."""
    with contextlib.ExitStack() as stack:
        for address in addresses:
            plain = socket.create_connection(("127.0.0.1", front.http), timeout=nginx_front.PATIENCE_SECONDS)
            stack.enter_context(plain).sendall(BEGUN.format(host=PORTAL, address=address).encode())
        yield


@pytest.mark.parametrize(
    ("under_way", "refused", "served"),
    [
        (
            ["2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:fffe"],
            ["2001:db8:0:1::3", "2001:db8:0:1:a0a:a0a:a0a:a0a"],
            ["2001:db8:0:2::1", "2001:db8:1:1::1", "192.0.2.1", "::ffff:192.0.2.1"],
        ),
        (
            ["2001:db8:a0a:a0a:1::", "2001:db8:a0a:a0a::2"],
            ["2001:db8:a0a:a0a:a0a:a0a:a0a:a0a"],
            ["2001:db8:a0a:a0b::2"],
        ),
        (["192.0.2.1", "192.0.2.1"], ["192.0.2.1"], ["192.0.2.2", "10.10.10.10", "::2"]),
        (["192.0.2.10", "::ffff:192.0.2.10"], ["192.0.2.10", "::ffff:192.0.2.10"], ["::ffff:192.0.2.11", "192.0.2.11"]),
        (["2001:db8:0:1::1", "2001:db8:0:2::1"], [], ["2001:db8:0:1::2", "2001:db8:0:2::2"]),
    ],
    ids=["one-network", "octets-like-a-line-end", "ipv4", "ipv4-mapped", "two-networks"],
)
def test_requests_under_way_count_for_the_network(
    limited: Front, under_way: list[str], refused: list[str], served: list[str]
) -> None:
    with requests_under_way(limited, *under_way):
        for address in refused:
            wait_for(limited, address, 429)
        for address in served:
            assert status(limited, address) == 200, address
    for address in refused:
        wait_for(limited, address, 200)


def test_production_believes_no_address_but_that_of_the_connection() -> None:
    for template in nginx.TEMPLATES.iterdir():
        assert "real_ip" not in template.read_text(), template.name
