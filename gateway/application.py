"""The endpoint as a WSGI application: the same behind our own TLS server and behind nginx.

It is called for every request, whatever its path, and judges first: who is refused learns why and gets nothing else.
There is no middleware and no session, and Redis is never asked; the database alone decides.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from certauthority import counters
from certauthority.use_records import SeenCall
from connect import request_ids
from gateway import usage
from gateway.answers import (
    CHALLENGE,
    Answer,
    Problem,
    json_answer,
    phrase_of,
    prefers_text,
    problem_answer,
    refusal,
    text_answer,
    visible,
    whoami,
)
from gateway.calls import CALL_KEY, Call
from gateway.echo import echo, path_of
from gateway.verdicts import Verdict, judge

logger = logging.getLogger(__name__)

_Environ = dict[str, Any]
_STATUS_PATH = re.compile(r"/status/([2-5][0-9]{2})", re.ASCII)
_WITHOUT_BODY = frozenset({204, 304})
# What a client may simply try again (RFC 9110, 15; RFC 6585, 4).
_RECOVERABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_AWAY = Problem(
    503,
    "SERVICE_UNAVAILABLE",
    "The endpoint cannot judge the certificate now: its database does not answer.",
    "Try again in a few seconds. Your certificate is not the reason.",
    recoverable=True,
    headers=(("Retry-After", "5"),),
)
_BROKEN = Problem(
    500,
    "SYSTEM_ERROR",
    "The endpoint could not answer, through a mistake of its own.",
    "Your certificate is not the reason. The site’s staff find the reason in the endpoint’s log.",
)
_NOT_FOUND = Problem(
    404,
    "NOT_FOUND",
    "There is nothing at this path.",
    "Your certificate is accepted. The paths are /, /whoami, /echo (POST) and /status/ with a status from 200 to 599.",
)
_BAD_STATUS = Problem(
    400, "INVALID_REQUEST", "This is no status to ask for.", "Name one from 200 to 599, such as /status/503."
)


def application(environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request. ``environ[CALL_KEY]`` is the call as the front saw it.

    Its lines in the log carry the id that the front gave it, or one of its own.
    """
    with request_ids.working_on(request_ids.current()) as request_id:
        answer = _answer_or_problem(environ)
    start_response(answer.status_line, [*answer.all_headers, (request_ids.HEADER, request_id)])
    return [] if environ["REQUEST_METHOD"] == "HEAD" or not answer.body else [answer.body]


def _answer_or_problem(environ: _Environ) -> Answer:
    _let_old_connections_go()
    try:
        return _answer(environ, now=timezone.now())
    except (OperationalError, InterfaceError) as error:
        logger.error("The database does not answer: %s at %s", type(error).__name__, _place_of(error))
        return problem_answer(_AWAY, as_text=_wants_text(environ))
    except Exception as error:  # noqa: BLE001  the outermost edge; what an error says may hold what the client sent
        logger.error("A call could not be answered: %s at %s", type(error).__name__, _place_of(error))
        return problem_answer(_BROKEN, as_text=_wants_text(environ))
    finally:
        _let_old_connections_go()


def _let_old_connections_go() -> None:
    """As Django does before and after each request; within a transaction it would end that."""
    if not connection.in_atomic_block:
        close_old_connections()


def _answer(environ: _Environ, *, now: datetime) -> Answer:
    call = environ.get(CALL_KEY)
    if not isinstance(call, Call):
        raise TypeError("the front handed over no call")
    verdict = judge(call, now=now)
    _note(verdict, call, now=now)
    if not verdict.accepted:
        _log_refusal(verdict, call)
        return refusal(verdict, as_text=_wants_text(environ))
    return _routed(environ, verdict, call, now=now)


def _routed(environ: _Environ, verdict: Verdict, call: Call, *, now: datetime) -> Answer:
    path, method, as_text = path_of(environ), environ["REQUEST_METHOD"], _wants_text(environ)
    if path in ("/", "/whoami"):
        if method not in ("GET", "HEAD"):
            return problem_answer(_not_allowed("GET, HEAD"), as_text=as_text)
        return whoami(verdict, call, now=now, as_text=as_text)
    if path == "/echo":
        if method != "POST":
            return problem_answer(_not_allowed("POST"), as_text=as_text)
        return echo(environ, as_text=as_text)
    if path.startswith("/status/"):
        return _status(path, as_text=as_text)
    return problem_answer(_NOT_FOUND, as_text=as_text)


def _not_allowed(methods: str) -> Problem:
    details = f"Your certificate is accepted. Use {methods.replace(', ', ' or ')}."
    return Problem(
        405, "METHOD_NOT_ALLOWED", "This path does not take that method.", details, headers=(("Allow", methods),)
    )


def _status(path: str, *, as_text: bool) -> Answer:
    """The status that was asked for, so that a client's handling of errors can be tried."""
    found = _STATUS_PATH.fullmatch(path)
    if found is None:
        return problem_answer(_BAD_STATUS, as_text=as_text)
    status = int(found[1])
    if status in _WITHOUT_BODY:
        return Answer(status)
    if status == HTTPStatus.RESET_CONTENT:
        return Answer(status, b"", "text/plain")
    sentence = f"{status} {phrase_of(status)}, as you asked."
    if status < 400:
        return text_answer(status, sentence) if as_text else json_answer(status, {"status": status, "text": sentence})
    problem = Problem(
        status,
        "REQUESTED_STATUS",
        sentence,
        "Your certificate is accepted.",
        recoverable=status in _RECOVERABLE,
        headers=(CHALLENGE,) if status == 401 else (),
    )
    return problem_answer(problem, as_text=as_text)


def _wants_text(environ: _Environ) -> bool:
    return prefers_text(str(environ.get("HTTP_ACCEPT", "")))


def _note(verdict: Verdict, call: Call, *, now: datetime) -> None:
    """Count a call, and who made it where the site knows the certificate."""
    counters.add("endpoint_calls", environment=call.environment.value, reason=verdict.reason.value)
    if verdict.certificate is None:
        return
    usage.note(
        SeenCall(
            certificate_id=verdict.certificate.pk,
            at=now,
            accepted=verdict.accepted,
            reason=verdict.reason,
            environment=call.environment.value,
            client_address=call.client_address,
            tls_version=call.tls_version,
            cipher=call.cipher,
        )
    )


def _log_refusal(verdict: Verdict, call: Call) -> None:
    """One line, whatever the certificate says: its subject cannot begin another one."""
    known = verdict.certificate or verdict.facts
    fingerprint = known.fingerprint if known is not None else "none"
    subject = ""
    if verdict.certificate is not None:
        subject = verdict.certificate.subject
    elif verdict.facts is not None:
        subject = verdict.facts.subject.text
    logger.info(
        "Refused in %s: %s from %s, certificate %s, subject “%s”",
        call.environment.value,
        verdict.reason.value,
        visible(call.client_address),
        fingerprint,
        visible(subject[:200]),
    )


def _place_of(error: Exception) -> str:
    """Where it was raised: file and line, and nothing that the client sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
