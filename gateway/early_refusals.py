"""What the server answers itself, instead of the application: to requests that it will not read, or not wait for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class EarlyRefusal:
    """An answer after which the connection is closed, because what follows on it cannot be trusted or is not read."""

    status: HTTPStatus
    code: str
    description: str
    details: str
    recoverable: bool = False

    def octets(self) -> bytes:
        """The whole response, with the error envelope as its body."""
        error = {
            "Source": "Gateway",
            "ReasonCode": self.code,
            "Description": self.description,
            "Recoverable": self.recoverable,
            "Details": self.details,
        }
        body = json.dumps({"Errors": {"Error": [error]}}, ensure_ascii=False).encode()
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        return head.encode("ascii") + body


MALFORMED = EarlyRefusal(
    HTTPStatus.BAD_REQUEST,
    "MALFORMED_REQUEST",
    "This is not a request that HTTP/1.1 allows, or two programs could read it in two ways.",
    "Send one Host, at most one Content-Length or Transfer-Encoding: chunked, and no header over several lines "
    "(RFC 9112).",
)
HEAD_TOO_LARGE = EarlyRefusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "REQUEST_HEADERS_TOO_LARGE",
    "The request line and the headers are larger than 16 KiB, or there are more than 100 headers.",
    "Send fewer or shorter headers.",
)
BODY_TOO_LARGE = EarlyRefusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "REQUEST_TOO_LARGE",
    "The body is larger than 1 MiB, which is the most that the endpoint reads.",
    "Send a smaller body.",
)
TOO_SLOW = EarlyRefusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "REQUEST_TIMEOUT",
    "The request did not arrive in time.",
    "Send the headers within 10 seconds and the whole request within 30.",
    recoverable=True,
)
TOO_BUSY = EarlyRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "GATEWAY_BUSY",
    "The endpoint has too much to do at the moment.",
    "Try again in a few seconds.",
    recoverable=True,
)
