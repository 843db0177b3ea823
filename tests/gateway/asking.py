"""Calls and requests for tests, as a front would hand them over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from certauthority.chains import issuers_of
from certauthority.models import Certificate
from gateway.application import application
from gateway.calls import CALL_KEY, Call
from portal.models import Environment

# What the standard library says of a server and an application that break WSGI (PEP 3333).
_validated = validator(application)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def errors(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json["Errors"]["Error"]
        return found


def call_with(
    *chain: bytes, environment: Environment = Environment.SANDBOX, is_whole: bool = True, address: str = "192.0.2.7"
) -> Call:
    """A call that sent these certificates, DER, the client's own first."""
    return Call(environment, chain, is_whole, address, "TLSv1.3", "TLS_AES_256_GCM_SHA384")


def chain_of(certificate: Certificate) -> tuple[bytes, ...]:
    """A certificate and its issuers without the root, as clients ought to send them."""
    return (bytes(certificate.der), *issuers_of(certificate)[:-1])


def ask(call: Call | None, path: str = "/", method: str = "GET", body: bytes | None = None, **extra: Any) -> Reply:
    """One request through the application. ``extra`` is put into the WSGI environment."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    if body is not None:
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    environ |= extra
    if call is not None:
        environ[CALL_KEY] = call
    setup_testing_defaults(environ)
    return send(environ)


def send(environ: dict[str, Any], *, is_valid: bool = True) -> Reply:
    """The same with an environment that the caller made; one that breaks WSGI is not validated."""
    started: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append((status, dict(headers)))
        return lambda data: None

    answered: Iterable[bytes] = (_validated if is_valid else application)(environ, start_response)
    body = b"".join(answered)
    if is_valid:
        answered.close()  # type: ignore[attr-defined]  # the validator's iterator has it
    ((status, headers),) = started
    return Reply(int(status[:3]), headers, body)
