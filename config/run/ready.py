"""Whether the started site does its work: its web server says so, and a worker answers."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterable, Mapping

from kombu.exceptions import OperationalError

from config.celery import app

# Servers that listen at one of these are reached by the name of this machine.
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  Nothing is bound here.


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


def check_endpoint(address: str, ports: Iterable[int]) -> None:
    """Ask the mTLS endpoint at each of its ports, by TLS and without a certificate.

    Raises:
        NotReady: one of them does not answer, or not as the endpoint does.
    """
    for port in ports:
        connection = http.client.HTTPSConnection(
            "localhost" if address in _EVERY_ADDRESS else address,
            port,
            timeout=10,
            context=ssl._create_unverified_context(),  # noqa: S323, SLF001  Nothing is told or believed here.
        )
        try:
            connection.request("GET", "/whoami")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise NotReady(f"The mTLS endpoint does not answer at port {port}.") from error
        finally:
            connection.close()
        if status != http.HTTPStatus.UNAUTHORIZED:
            raise NotReady(f"The mTLS endpoint answers at port {port} with status {status}.")


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
