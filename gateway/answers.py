"""What the endpoint answers: verdicts and errors, as JSON or as one readable paragraph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from gateway.calls import Call
from gateway.findings import Finding
from gateway.verdicts import Verdict

# Whom the error envelope names as its source.
SOURCE: Final = "Gateway"
_JSON, _TEXT = "application/json", "text/plain"
_UNNAMED = "Unassigned"
# A client that cannot read WWW-Authenticate takes a 401 for a broken answer (RFC 9110, 15.5.2).
CHALLENGE: Final = ("WWW-Authenticate", 'TLS-Client-Certificate realm="mTLS Rehearsal"')
_SECURITY = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, for WSGI to send. One without a content type has no body, and may not have one."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status_line(self) -> str:
        return f"{self.status} {phrase_of(self.status)}"

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        """As they are sent. Whether the connection stays open is the server's affair."""
        headers = [*_SECURITY, *self.headers]
        if self.content_type:
            headers += [("Content-Type", f"{self.content_type}; charset=utf-8"), ("Vary", "Accept")]
            headers.append(("Content-Length", str(len(self.body))))
        return headers


@dataclass(frozen=True, slots=True)
class Problem:
    """Anything but a verdict that an answer has to say. ``code`` is its ReasonCode."""

    status: int
    code: str
    description: str
    details: str = ""
    recoverable: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def phrase_of(status: int) -> str:
    """The words behind a status code."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return _UNNAMED


def prefers_text(accept: str) -> bool:
    """Whether an ``Accept`` header wants text rather than JSON, which comes first where both are as welcome.

    The most specific range that fits counts (RFC 9110, 12.5.1). A part that cannot be read is left out, and who
    accepts neither gets JSON all the same: a verdict in the wrong format is better than none.
    """
    ranges = dict(filter(None, map(_range, accept[:1000].split(","))))
    return _quality(_TEXT, ranges) > _quality(_JSON, ranges)


def _range(part: str) -> tuple[str, float] | None:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [value for key, _, value in (parameter.partition("=") for parameter in parameters) if key.strip() == "q"]
    try:
        weight = float(weights[0]) if weights else 1.0
    except ValueError:
        return None
    return (name, weight) if 0 <= weight <= 1 else None


def _quality(content_type: str, ranges: Mapping[str, float]) -> float:
    group = content_type.partition("/")[0]
    return next((ranges[name] for name in (content_type, f"{group}/*", "*/*") if name in ranges), 0.0)


def json_answer(status: int, content: Mapping[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Indented: most who read it see it in a terminal."""
    body = json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return Answer(status, body, _JSON, headers)


def text_answer(status: int, paragraph: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """One paragraph."""
    return Answer(status, f"{paragraph}\n".encode("utf-8", "replace"), _TEXT, headers)


def problem_answer(problem: Problem, *, as_text: bool) -> Answer:
    """An error, in the envelope of the originals."""
    if as_text:
        paragraph = f"{problem.status} {problem.code}: {problem.description} {problem.details}".rstrip()
        return text_answer(problem.status, paragraph, problem.headers)
    error = _error(problem.code, problem.description, problem.details, recoverable=problem.recoverable)
    return json_answer(problem.status, _envelope(error), problem.headers)


def refusal(verdict: Verdict, *, as_text: bool) -> Answer:
    """A refused certificate: each reason is an error of its own, the verdict's first."""
    headers = (CHALLENGE,) if verdict.status == HTTPStatus.UNAUTHORIZED else ()
    if as_text:
        return text_answer(verdict.status, paragraph_of(verdict), headers)
    errors = [_error(f.reason.value, f.sentence, _in_words(f.remedy, f.link)) for f in verdict.findings]
    return json_answer(verdict.status, _envelope(*errors), headers)


def whoami(verdict: Verdict, call: Call, *, now: datetime, as_text: bool) -> Answer:
    """An accepted certificate: the verdict, and everything that its owner may know."""
    if as_text:
        return text_answer(verdict.status, paragraph_of(verdict))
    successor, certificate = verdict.successor, verdict.certificate
    content: dict[str, Any] = {
        "verdict": {**_finding(verdict.findings[0]), "besides": [_finding(other) for other in verdict.besides]},
        "certificate": certificate
        and {
            "subject": visible(certificate.subject),
            "issuer": visible(certificate.issuer),
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "notBefore": _timestamp(certificate.not_before),
            "notAfter": _timestamp(certificate.not_after),
        },
        "project": verdict.project and verdict.project.name,
        "alias": verdict.alias,
        "environment": verdict.environment,
        "daysLeft": verdict.days_left,
        "successor": successor and {"alias": successor.alias, "serial": successor.serial, "link": successor.link},
        "tls": {"version": call.tls_version, "cipher": call.cipher},
        "clientAddress": call.client_address,
        "time": _timestamp(now),
    }
    if verdict.company_time is not None:
        content["companyTime"] = _timestamp(verdict.company_time)
    return json_answer(verdict.status, content)


def paragraph_of(verdict: Verdict) -> str:
    """The verdict, what is so, what to do and where, and what else is so: one line."""
    word = "Accepted" if verdict.accepted else "Refused"
    first = verdict.findings[0]
    parts = [f"{word} ({verdict.reason.value}): {first.sentence}", _in_words(first.remedy, first.link)]
    for other in verdict.besides:
        parts += [f"Besides: {other.sentence}", _in_words(other.remedy, other.link if other.link != first.link else "")]
    return " ".join(parts)


def visible(text: str) -> str:
    """A text of a certificate with what a terminal would act upon, or nobody would see, written as U+…"""
    return "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in text)


def _in_words(remedy: str, link: str) -> str:
    return f"{remedy} See {link}".strip() if link else remedy


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "reasonCode": finding.reason.value,
        "accepted": finding.accepted,
        "sentence": finding.sentence,
        "remedy": finding.remedy,
        "link": finding.link,
    }


def _error(code: str, description: str, details: str, *, recoverable: bool = False) -> dict[str, Any]:
    return {
        "Source": SOURCE,
        "ReasonCode": code,
        "Description": description,
        "Recoverable": recoverable,
        "Details": details,
    }


def _envelope(*errors: dict[str, Any]) -> dict[str, Any]:
    return {"Errors": {"Error": list(errors)}}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
