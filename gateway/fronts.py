"""A front such as nginx that ended TLS for the endpoint: when it is believed, and what it says of a call.

It is believed only where both hold: it comes from one of ``GATEWAY_FRONT_ADDRESSES``, and it names
``GATEWAY_FRONT_SECRET``. Whoever misses one of them is refused. To take such a request for a call without a certificate
would be wrong twice: a front that is set up badly would tell every client that it sent none, and somebody who goes
round the front would still be served.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterable, MutableMapping
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings

from connect import request_ids
from gateway.answers import Problem, problem_answer
from gateway.calls import CALL_KEY, Call
from portal.models import Environment

log = logging.getLogger(__name__)

# Every header of a front begins so. deploy/nginx/templates/endpoint.conf.template sets them on each request.
HEADERS = "HTTP_X_REHEARSAL_"
SECRET = f"{HEADERS}FRONT_SECRET"
CERTIFICATE = f"{HEADERS}CLIENT_CERT"
ADDRESS = f"{HEADERS}CLIENT_ADDRESS"
TLS_VERSION = f"{HEADERS}TLS_VERSION"
CIPHER = f"{HEADERS}TLS_CIPHER"
ENVIRONMENT = f"{HEADERS}ENVIRONMENT"
# The front's id of the request: the lines in the log of either have it.
REQUEST_ID = "HTTP_X_REQUEST_ID"
# A server that runs WSGI hands over its own environment, in which this variable would pass for a header `Proxy`.
_NO_HEADER = "HTTP_PROXY"
# As long as they are stored (certauthority.models.EndpointCall).
_LONGEST_TLS_VERSION, _LONGEST_CIPHER = 12, 64

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class NotBelieved(Exception):
    """What came is not from a front of ours. The message is for the log, and holds nothing that was sent."""


def behind_front(application: Application) -> Application:
    """The WSGI application behind a front: it gets a ``Call`` for each request, and never sees the front's headers.

    Requests that are not believed get 403 and a line in the log; they do not reach the application.
    """

    def guarded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = _taken_out(environ)
        try:
            call = _call(headers, peer=str(environ.get("REMOTE_ADDR", "")))
        except NotBelieved as problem:
            log.warning("A request to the endpoint was refused: %s", problem)
            return _refuse(start_response)
        environ[CALL_KEY] = call
        environ["REMOTE_ADDR"] = call.client_address
        environ["wsgi.url_scheme"] = "https"
        with request_ids.working_on(str(environ.get(REQUEST_ID, ""))):
            return application(environ, start_response)

    return guarded


def _taken_out(environ: MutableMapping[str, Any]) -> dict[str, str]:
    """Whatever begins as a front's headers do, removed from what the application will see."""
    environ.pop(_NO_HEADER, None)
    names = [name for name in environ if name.upper().startswith(HEADERS.rstrip("_"))]
    return {name: str(environ.pop(name)) for name in names}


def _call(headers: dict[str, str], *, peer: str) -> Call:
    """Raises NotBelieved."""
    _see_that_it_is_a_front(headers, peer)
    try:
        environment = Environment(headers.get(ENVIRONMENT, ""))
        client_address = _address(headers.get(ADDRESS, ""))
    except ValueError as error:
        raise NotBelieved(
            f"the front at {peer} does not say which host was called, or from which address. Compare its "
            "configuration with deploy/nginx/templates."
        ) from error
    certificate = headers.get(CERTIFICATE, "")
    return Call(
        environment=environment,
        chain=(_der(certificate),) if certificate else (),
        chain_is_whole=False,
        client_address=client_address,
        tls_version=headers.get(TLS_VERSION, "")[:_LONGEST_TLS_VERSION],
        cipher=headers.get(CIPHER, "")[:_LONGEST_CIPHER],
    )


def _see_that_it_is_a_front(headers: dict[str, str], peer: str) -> None:
    """Raises NotBelieved. On a Unix socket there is no address, so that nobody is believed there."""
    try:
        address = ip_address(_address(peer))
    except ValueError as error:
        raise NotBelieved("it came without an address. Fronts reach the endpoint over TCP.") from error
    if not any(address in network for network in settings.GATEWAY_FRONT_ADDRESSES):
        raise NotBelieved(f"{address} is not in GATEWAY_FRONT_ADDRESSES.")
    expected = settings.GATEWAY_FRONT_SECRET
    if not expected:
        raise NotBelieved("GATEWAY_FRONT_SECRET is not set, so that no front can be believed.")
    if not compare_digest(headers.get(SECRET, "").encode(errors="replace"), expected.encode()):
        raise NotBelieved(f"what came from {address} does not name the secret of GATEWAY_FRONT_SECRET.")


def _address(text: str) -> str:
    """An IP address as it is stored: an IPv4 address that came over an IPv6 socket counts as what it is."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _der(escaped: str) -> bytes:
    """The certificate of nginx's ``$ssl_client_escaped_cert``, PEM in percent-encoding, as DER.

    What is no such thing is handed on as it came: then the verdict is that it cannot be read.
    """
    pem = unquote_to_bytes(escaped.encode(errors="replace"))
    try:
        return ssl.PEM_cert_to_DER_cert(pem.decode("ascii")) or pem
    except ValueError:
        return pem


def _refuse(start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response(_REFUSAL.status_line, [*_REFUSAL.all_headers, ("Connection", "close")])
    return [_REFUSAL.body]


_REFUSAL = problem_answer(
    Problem(
        403,
        "FRONT_NOT_BELIEVED",
        "This address answers only what comes through the endpoint’s front.",
        "Call the endpoint by its public address. If you did, ask whoever runs it to look at its log.",
    ),
    as_text=False,
)
