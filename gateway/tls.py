"""TLS of the live endpoint: it asks for a certificate, takes any, and leaves the judgement to whoever answers.

The handshake still proves that the client has the certificate's key. No session is ever resumed: a certificate that was
revoked meanwhile would come back in it, and would not be sent again.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from certauthority.x509.limits import MAX_CHAIN_BYTES, MAX_CHAIN_CERTIFICATES

logger = logging.getLogger(__name__)

# Forward secrecy and authenticated encryption only, which the level does not touch: at level 0 OpenSSL leaves the
# client's certificate alone, so that one signed with SHA-1 or with 1024 bits gets a verdict instead of an alert.
TLS12_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:@SECLEVEL=0"
# OpenSSL walks at most so far up what the client sent, although it finds nothing there that it trusts.
VERIFY_DEPTH = 10
# How long a certificate that was renewed on the disk may wait for being taken into use.
RELOAD_SECONDS = 60.0
_HTTP_1_1 = b"http/1.1"
_OPTIONS = SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE


def server_context(*, chain: Path, key: Path, tls12: bool) -> SSL.Context:
    """The endpoint's context with the certificate of these files.

    The list of acceptable CAs stays empty: some clients, such as Java and browsers, send no certificate that is not on
    it, and here everybody is to learn what is wrong with theirs. Raises OSError or SSL.Error for files that are
    missing, cannot be read, or do not belong together.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION if tls12 else SSL.TLS1_3_VERSION)
    context.set_options(_OPTIONS)
    context.set_cipher_list(TLS12_CIPHERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER, _agree)
    context.set_verify_depth(VERIFY_DEPTH)
    context.set_alpn_select_callback(_choose_protocol)
    for path in (chain, key):
        path.stat()  # A file that is not there is an OSError that names it; OpenSSL's own error says little.
    context.use_certificate_chain_file(str(chain))
    context.use_privatekey_file(str(key))
    context.check_privatekey()
    return context


@implementer(IOpenSSLServerConnectionCreator)
class EndpointTls:
    """Makes the TLS side of each connection, with the certificate that lies in the files at that time."""

    def __init__(self, *, chain: Path, key: Path, tls12: bool, reload_seconds: float = RELOAD_SECONDS) -> None:
        self._chain, self._key, self._tls12 = chain, key, tls12
        self._reload_seconds = reload_seconds
        self._seen = self._stamps()
        self._context = server_context(chain=chain, key=key, tls12=tls12)
        self._look_again_at = time.monotonic() + reload_seconds

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """A connection that has yet to be given to a transport."""
        if time.monotonic() >= self._look_again_at:
            self._look_again_at = time.monotonic() + self._reload_seconds
            self._reload()
        return SSL.Connection(self._context, None)

    def _reload(self) -> None:
        """Take a new certificate into use; whatever is wrong with it, the old one goes on serving."""
        stamps = self._stamps()
        if stamps == self._seen:
            return
        try:
            self._context = server_context(chain=self._chain, key=self._key, tls12=self._tls12)
        except (OSError, SSL.Error) as error:
            logger.error("The endpoint's new certificate cannot be used (%s); the old one stays.", type(error).__name__)
            return
        self._seen = stamps
        logger.info("The endpoint's new certificate is in use.")

    def _stamps(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(map(_stamp, (self._chain, self._key)))


def presented_chain(connection: SSL.Connection) -> tuple[tuple[bytes, ...], bool]:
    """DER of what the client sent, its own certificate first, and whether that is all of it.

    At most 10 certificates and 256 KiB are taken. OpenSSL leaves the client's own certificate out of the chain that a
    server asks for, so it is put back.
    """
    own = connection.get_peer_certificate()
    if own is None:
        return (), True
    taken = [crypto.dump_certificate(crypto.FILETYPE_ASN1, own)]
    size = len(taken[0])
    for certificate in connection.get_peer_cert_chain() or ():
        der = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
        size += len(der)
        if len(taken) == MAX_CHAIN_CERTIFICATES or size > MAX_CHAIN_BYTES:
            return tuple(taken), False
        taken.append(der)
    return tuple(taken), True


def _agree(connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, good: int) -> bool:
    """Whatever OpenSSL has against a certificate, the verdict is ours."""
    return True


def _choose_protocol(connection: SSL.Connection, offered: list[bytes]) -> Any:
    """HTTP/1.1 where the client offers it; with one that offers other things alone, HTTP/1.1 is tried all the same."""
    return _HTTP_1_1 if _HTTP_1_1 in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
