"""Somebody who adds certificates by the form `Paste in a CSR`: over TLS through nginx, on a connection kept open."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import uuid
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tools.stack.layout import LOOPBACK, PORTAL

CSRF_FIELD, SUBMISSION_FIELD = "csrfmiddlewaretoken", "submission"
# A hang guard: longer than nginx waits for the application.
SECONDS = 120.0
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'\b(name|value)="([^"]*)"')


class FormError(RuntimeError):
    """The site answered with something else than was to come."""


def hidden_fields(page: str) -> dict[str, str]:
    """The names and values of a page's input elements; the first of each name counts."""
    found: dict[str, str] = {}
    for element in _INPUT.findall(page):
        attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(element)}
        if "name" in attributes:
            found.setdefault(attributes["name"], attributes.get("value", ""))
    return found


class FormClient:
    """One browser with one connection. ``root`` is the certificate in PEM with which the site is verified."""

    def __init__(self, *, port: int, root: Path, project: str) -> None:
        self._origin = f"https://{PORTAL}:{port}"
        self._path = f"/projects/{project}/sandbox/add/paste-csr/"
        self._cookies: dict[str, str] = {}
        secure = ssl.create_default_context(cafile=str(root)).wrap_socket(
            socket.create_connection((LOOPBACK, port), timeout=SECONDS), server_hostname=PORTAL
        )
        secure.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = http.client.HTTPConnection(PORTAL, port)
        self._connection.sock = secure

    def sign_in(self, email: str, password: str) -> None:
        """By the form that the page leads to. Raises FormError where the site does not let this person in."""
        _, _, location = self._ask("GET", self._path, expected=302)
        path = urlsplit(location).path
        _, page, _ = self._ask("GET", path, expected=200)
        form = {"login": email, "password": password, CSRF_FIELD: hidden_fields(page)[CSRF_FIELD]}
        self._ask("POST", path, form, expected=302)

    def add(self, csr: bytes) -> str:
        """Open the form, fill it in and send it. The answer is the alias of the certificate.

        Raises FormError where the site does not lead on to the table.
        """
        _, page, _ = self._ask("GET", self._path, expected=200)
        fields = hidden_fields(page)
        alias = f"form-{uuid.uuid4()}"
        form = {name: fields[name] for name in (CSRF_FIELD, SUBMISSION_FIELD)} | {"alias": alias, "csr": csr.decode()}
        self._ask("POST", self._path, form, expected=302)
        return alias

    def _ask(
        self, method: str, path: str, form: dict[str, str] | None = None, *, expected: int
    ) -> tuple[int, str, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if form is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": self._origin,
                "Referer": f"{self._origin}{path}",
            }
        self._connection.request(method, path, urlencode(form or {}) or None, headers)
        answer = self._connection.getresponse()
        body = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if answer.status != expected:
            raise FormError(f"{method} {path} was answered with {answer.status}: {body[:500]}")
        return answer.status, body, answer.headers.get("Location", "")
