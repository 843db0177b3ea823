"""How much of the endpoint one client may take, so that others are answered meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, octets and counts. A request's seconds run from its first octet to the last one of its answer."""

    handshake_seconds: float = 10
    head_seconds: float = 10
    request_seconds: float = 30
    idle_seconds: float = 60
    # How long a client may take to close a connection that is over.
    linger_seconds: float = 3
    head_octets: int = 16 * KIB
    headers: int = 100
    # One MiB is what the application takes; what is a little more it refuses itself, with a better sentence.
    body_octets: int = MIB + 64 * KIB
    # Of all requests together that are still arriving or being answered.
    all_bodies_octets: int = 64 * MIB
    connections: int = 2000
    connections_per_address: int = 100
    # Tools that are tried out on this machine all come from one address.
    connections_from_loopback: int = 1000
    threads: int = 16
    # How long a stop waits for answers that are under way.
    stop_seconds: float = 3


class Admission:
    """Counts connections, by client and together. Only the thread of the network uses it.

    Whoever has one address of IPv6 has the other 2^64 of its network, too, so that these count as one.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_client: Counter[str] = Counter()

    def has_room_for(self, address: str) -> bool:
        """Whether one more connection from there is taken."""
        if self._by_client.total() >= self._limits.connections:
            return False
        limits = self._limits
        most = limits.connections_from_loopback if _is_loopback(address) else limits.connections_per_address
        return self._by_client[_client(address)] < most

    def enter(self, address: str) -> None:
        """Count a connection."""
        self._by_client[_client(address)] += 1

    def leave(self, address: str) -> None:
        """Count it no longer."""
        client = _client(address)
        self._by_client[client] -= 1
        if self._by_client[client] <= 0:
            del self._by_client[client]


class Buffers:
    """Counts the octets of bodies that lie in memory. Only the thread of the network uses it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    def take(self, octets: int) -> bool:
        """Take so many, unless that would be too many."""
        if self._taken + octets > self._most:
            return False
        self._taken += octets
        return True

    def give_back(self, octets: int) -> None:
        """Free what was taken."""
        self._taken -= octets


def plain_address(host: str) -> str:
    """An address without a zone, and an IPv4 address as such where the system maps it into IPv6."""
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _client(address: str) -> str:
    """The address, or of IPv6 the network of 64 bits in which it lies."""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and not found.is_loopback:
        return str(IPv6Network((found, 64), strict=False))
    return address


def _is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback
