"""The address of a webhook, read once: what was checked here is what the connection is made from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna
from django.conf import settings

from connect.webhooks.addresses import is_allowed, literal
from connect.webhooks.errors import WebhookRefused

URL_LENGTH = 500

_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
# `127.1`, `2130706433` and `0x7f.1` are IPv4 addresses for the resolver, and names for everybody else.
_LOOKS_LIKE_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_NOT_IN_A_URL = re.compile(r"[ \\<>\"`{}|^]")
_SHOWN_WHOLE = 12
_SHOWN_OF_LONG = 4
_KEPT_IN_TARGET = "/:=&?~+!$,;'@()*[]%"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes: ``host`` is a name in ASCII or an IP address, ``target`` path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "https"

    @property
    def site(self) -> str:
        """The address without path and query, which may hold somebody's token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def url(self) -> str:
        """The whole address, as it is kept."""
        return f"{self.site}{self.target}"


def destination_of(url: str) -> Destination:
    """Read an address.

    Raises:
        WebhookRefused: it is none for a webhook; the sentence says why. Names are not resolved here.
    """
    if not url or len(url) > URL_LENGTH:
        raise WebhookRefused(f"Type an address of at most {URL_LENGTH} characters, such as https://hooks.example.com/.")
    if not url.isprintable() or _NOT_IN_A_URL.search(url):
        raise WebhookRefused("The address holds a space or another character that no address has. Take it out.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WebhookRefused("This is no address. It must look like https://hooks.example.com/path.") from None
    _check_form(parts, port)
    host = _host(parts.hostname or "")
    target = quote(parts.path or "/", safe=_KEPT_IN_TARGET)
    if parts.query:
        target = f"{target}?{quote(parts.query, safe=_KEPT_IN_TARGET)}"
    found = Destination(parts.scheme, host, port or _PORTS[parts.scheme], target)
    if len(found.url) > URL_LENGTH:
        raise WebhookRefused(f"The address is longer than {URL_LENGTH} characters in ASCII. Use a shorter one.")
    return found


def site_of(url: str) -> str:
    """A kept address without path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def label_of(url: str) -> str:
    """A kept address as lists show it: its last characters tell it from another of the same site, and give no token."""
    site = site_of(url)
    target = url.removeprefix(site)
    if len(target) > _SHOWN_WHOLE:
        return f"{site}/…{target[-_SHOWN_OF_LONG:]}"
    return site if target == "/" else f"{site}{target}"


def _check_form(parts: SplitResult, port: int | None) -> None:
    if parts.scheme not in _PORTS:
        raise WebhookRefused("The address must begin with https://.")
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise WebhookRefused(
            "The address begins with http://, so that anybody on the way could read what is sent. Use https://."
        )
    if "@" in parts.netloc:
        raise WebhookRefused(
            "The address holds a user name or password. Take away what stands before the @: each "
            "message is signed, and needs none."
        )
    if parts.fragment:
        raise WebhookRefused("Take away the # and what follows it: it would never be sent.")
    if port == 0:
        raise WebhookRefused("There is no port 0. Use a port from 1 to 65535, or none.")


def _host(text: str) -> str:
    address = literal(text)
    if address is not None:
        if not is_allowed(address):
            raise WebhookRefused(f"{text} is not a public address. Name a host that everybody on the Internet reaches.")
        return str(address)
    try:
        name = text if text.isascii() else idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError:
        name = ""
    name = name.lower().removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name) or _LOOKS_LIKE_A_NUMBER.fullmatch(name):
        raise WebhookRefused("The address names no host. It must look like https://hooks.example.com/path.")
    if "." not in name and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise WebhookRefused(
            f"{name} is a name of a private network. Name a host that everybody on the Internet reaches."
        )
    return name
