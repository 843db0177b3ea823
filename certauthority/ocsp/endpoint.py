"""OCSP over HTTP (RFC 6960, A; RFC 5019, 5 and 6): what a request is taken for, and which headers an answer has."""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.utils.http import http_date

from certauthority.errors import SigningUnavailable
from certauthority.ocsp import answers
from certauthority.ocsp.answers import Answer
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.limits import MAX_OCSP_REQUEST_BYTES
from certauthority.x509.ocsp_request import read_ocsp_request
from certauthority.x509.ocsp_response import Failure, failure

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/ocsp-response"
# How long a cache may answer for us: as for CRLs, so that a revocation is known soon.
SHARED_SECONDS = 300
# What an address can carry: the name of a CA, and the request in base64.
MAX_ADDRESS = 41 + (MAX_OCSP_REQUEST_BYTES + 2) // 3 * 4


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response, for Django or for WSGI to send."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def understood(address: str, body: bytes | None, *, if_none_match: str, now: datetime) -> Reply | None:
    """The reply to a well-formed request; None for anything that is none, or is for a CA that does not exist.

    ``address`` is what follows /ocsp/: the name of the CA, and for GET, which has no body, the request in base64.
    """
    name, _, encoded = address.partition("/")
    try:
        request = read_ocsp_request(_decoded(encoded) if body is None else body)
    except UnreadableInput:
        return None
    try:
        standing = answers.standing_of(name)
        if standing is None:
            return None
        answer = answers.answer(standing, request, now=now)
    except SigningUnavailable as error:
        logger.error("An OCSP request could not be answered: %s", error)
        return refusal(Failure.TRY_LATER)
    if not answer.may_be_shared:
        return _private(200, answer.response.der)
    return _shared(answer, if_none_match=if_none_match if body is None else "", now=now)


def refusal(status: Failure, *, http_status: int = 200) -> Reply:
    """An answer that says nothing about a certificate. OCSP has its own statuses: for HTTP nothing went wrong."""
    return _private(http_status, failure(status))


def _decoded(encoded: str) -> bytes:
    """Raises UnreadableInput."""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableInput("ocsp.malformed", "This address holds no OCSP request in base64.") from error


def _private(http_status: int, der: bytes) -> Reply:
    """For one client at one time: with its nonce, or about something that may change."""
    headers = [
        ("Content-Type", CONTENT_TYPE),
        ("Content-Length", str(len(der))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return Reply(http_status, headers, der)


def _shared(answer: Answer, *, if_none_match: str, now: datetime) -> Reply:
    """RFC 5019, 6.2: the strong tag is the SHA-1 of the response, and Expires is its next update."""
    response = answer.response
    tag = f'"{hashlib.sha1(response.der, usedforsecurity=False).hexdigest()}"'
    # Caches count whole seconds, and the last one as well: one less, so that none answers after the response's time.
    seconds = max(0, min(SHARED_SECONDS, int(response.next_update - now.timestamp()) - 1))
    headers = [
        ("Content-Type", CONTENT_TYPE),
        ("Cache-Control", f"max-age={seconds}, public, no-transform, must-revalidate"),
        ("ETag", tag),
        ("Last-Modified", _http_date(response.this_update)),
        ("Expires", _http_date(response.next_update)),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if if_none_match and tag in if_none_match:
        return Reply(304, headers[1:], b"")
    return Reply(200, [*headers, ("Content-Length", str(len(response.der)))], response.der)


# Responses that were made together share their times.
_http_date = lru_cache(maxsize=1024)(http_date)
