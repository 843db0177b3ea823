"""Which addresses a webhook may have: public ones, unless the setting ``WEBHOOK_ALLOW_PRIVATE`` says otherwise.

A name is resolved once for each attempt. All of its addresses are judged, and the connection goes to one that was
judged: a name server that answers otherwise a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

from connect.webhooks.errors import WebhookRefused

Address = IPv4Address | IPv6Address

# IANA's registries of special-purpose addresses, whatever this Python's `is_global` knows of them; multicast; and an
# address that looks public, but is the metadata service of every machine at Azure.
_NOT_PUBLIC_4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            "168.63.129.16/32",
        ),
    )
)
# Everything that is public lies in 2000::/3 (RFC 4291, 2.4). Left out with the rest are the forms that carry an IPv4
# address: mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96, 64:ff9b:1::/48). Teredo and 6to4 lie inside.
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# What the setting allows. Link-local addresses are not among them: cloud machines keep their credentials there.
_PRIVATE = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
    )
)
_MOST_ADDRESSES = 8


def is_public(address: Address) -> bool:
    """Whether an address belongs to a machine that everybody on the Internet reaches."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None or address not in _PUBLIC_6:
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC_6)


def is_allowed(address: Address) -> bool:
    """Whether a message may go there, by the setting."""
    if is_public(address):
        return True
    return settings.WEBHOOK_ALLOW_PRIVATE and any(address in network for network in _PRIVATE)


def literal(host: str) -> Address | None:
    """The address that a host is, written as such; none for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def addresses_of(host: str, port: int, *, seconds: float) -> list[Address]:
    """The addresses of a host, all of them allowed, in the order in which to try them.

    Raises:
        WebhookRefused: it has none in so many seconds, or one that is not allowed. The sentence names no address: what
            a name inside our network stands for is nobody's business.
    """
    found = _resolved(host, port, seconds=seconds)
    if not all(is_allowed(address) for address in found):
        raise WebhookRefused(
            f"{host} leads to an address that is not public. Name a host that everybody on the Internet reaches."
        )
    return found[:_MOST_ADDRESSES]


def _resolved(host: str, port: int, *, seconds: float) -> list[Address]:
    """Ask the resolver, which knows no deadline, in a thread of its own."""
    answers: list[Address] = []
    failures: list[OSError] = []

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.extend(dict.fromkeys(ip_address(entry[4][0]) for entry in entries))
        except (OSError, ValueError) as error:
            failures.append(error if isinstance(error, OSError) else OSError(str(error)))

    _in_thread(ask, seconds=seconds)
    if failures or not answers:
        raise WebhookRefused(f"The name {host} cannot be resolved. Is it written correctly?")
    return list(answers)


def _in_thread(work: Callable[[], None], *, seconds: float) -> None:
    thread = threading.Thread(target=work, name="resolve a webhook's host", daemon=True)
    thread.start()
    thread.join(seconds)
