"""``/echo``: the request as it arrived, so that a client's code can be tried."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.answers import Answer, Problem, json_answer, problem_answer

MAX_BODY_BYTES: Final = 1024 * 1024
_PIECE = 64 * 1024
# Headers that a front adds, and none that its client sent: ours (gateway/fronts.py), and those of proxies.
_FRONTS = (
    "HTTP_X_REHEARSAL_",
    "HTTP_X_FORWARDED_",
    "HTTP_X_REAL_IP",
    "HTTP_X_REQUEST_ID",
    "HTTP_FORWARDED",
    "HTTP_VIA",
)
_TOO_LARGE = Problem(
    413,
    "PAYLOAD_TOO_LARGE",
    f"The body has more than {MAX_BODY_BYTES // 1024 // 1024} MiB.",
    "Send less: an echo takes that much at most.",
)
_AMBIGUOUS = Problem(
    400,
    "INVALID_REQUEST",
    "The length of the body is not clear: Content-Length is no number, or Transfer-Encoding came with it.",
    "Send one of the two (RFC 9112, 6.3).",
)


def echo(environ: Mapping[str, Any], *, as_text: bool) -> Answer:
    """What was sent. A body over 1 MiB is refused: unread, where its length was announced."""
    length, is_chunked = str(environ.get("CONTENT_LENGTH") or ""), "HTTP_TRANSFER_ENCODING" in environ
    if length and (is_chunked or not (length.isascii() and length.isdigit())):
        return problem_answer(_AMBIGUOUS, as_text=as_text)
    announced = int(length[:19]) if length else None
    if announced is not None and announced > MAX_BODY_BYTES:
        return problem_answer(_TOO_LARGE, as_text=as_text)
    if announced is None:
        announced = MAX_BODY_BYTES + 1 if is_chunked or environ.get("wsgi.input_terminated") else 0
    body = _read(environ, announced)
    if len(body) > MAX_BODY_BYTES:
        return problem_answer(_TOO_LARGE, as_text=as_text)
    text, encoding = _in_text(body)
    return json_answer(
        200,
        {
            "method": environ["REQUEST_METHOD"],
            "path": path_of(environ),
            "query": environ.get("QUERY_STRING", ""),
            "headers": dict(_headers(environ)),
            "body": text,
            "bodyEncoding": encoding,
            "bodyBytes": len(body),
        },
    )


def path_of(environ: Mapping[str, Any]) -> str:
    """The path as text. WSGI hands over each octet as a character (PEP 3333)."""
    return str(environ.get("PATH_INFO") or "/").encode("latin-1", "replace").decode("utf-8", "replace")


def _read(environ: Mapping[str, Any], most: int) -> bytes:
    """At most so many bytes, in pieces: what was announced is not always sent."""
    pieces = []
    while most > 0 and (piece := environ["wsgi.input"].read(min(most, _PIECE))):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def _in_text(body: bytes) -> tuple[str, str]:
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            yield _header_name(key), str(environ[key])
    for key in sorted(environ):
        if key.startswith("HTTP_") and not key.startswith(_FRONTS):
            yield _header_name(key.removeprefix("HTTP_")), str(environ[key])


def _header_name(key: str) -> str:
    return key.replace("_", "-").title()
