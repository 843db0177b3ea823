"""What a front hands over of a call, whoever ended its TLS: our own server, or nginx."""

from __future__ import annotations

from dataclasses import dataclass

from portal.models import Environment

# Under this key of the WSGI environment the front puts the call. No header of a client can take its place: those
# become keys that begin with HTTP_.
CALL_KEY = "gateway.call"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the front saw it.

    ``chain`` is DER as the client sent it, its own certificate first, and empty where it sent none; that it has the
    key is proven by the handshake. ``chain_is_whole`` is False where the front hands over the first one alone, as
    nginx does, so that nothing can be said of the others. ``tls_version`` and ``cipher`` are OpenSSL's names.
    """

    environment: Environment
    chain: tuple[bytes, ...]
    chain_is_whole: bool
    client_address: str
    tls_version: str
    cipher: str
