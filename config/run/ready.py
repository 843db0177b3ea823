"""Whether the started site does its work: its web server says so, and a worker answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping

from kombu.exceptions import OperationalError

from config.celery import app


class NotReady(Exception):
    """The site does not do its work yet; the message says what is missing."""


def check_ready(*, port: int, host: str) -> None:
    """Ask the web server on 127.0.0.1 under the name `host`, then the workers.

    Raises:
        NotReady: one of them does not answer, or says what is wrong.
    """
    _check_web(port, host)
    try:
        if not app.control.ping(timeout=1.0):
            raise NotReady("No worker answers.")
    except OperationalError as error:
        raise NotReady("Redis does not answer.") from error


def _check_web(port: int, host: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz", headers={"Host": host})
        response = connection.getresponse()
        status, body = response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotReady("The web server does not answer.") from error
    finally:
        connection.close()
    if status != 200:
        raise NotReady(_sentences(status, body))


def _sentences(status: int, body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    problems = answer.get("problems") if isinstance(answer, Mapping) else None
    if not isinstance(problems, Mapping) or not problems:
        return f"The web server answers /readyz with status {status}."
    return " ".join(str(sentence) for sentence in problems.values())
