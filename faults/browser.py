"""The site as a person uses it: over TLS that is verified, with cookies and CSRF tokens."""

from __future__ import annotations

import http.client
import socket
import ssl
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tools.stack.layout import LOOPBACK, PORTAL
from tools.stack.running import Stack

# A hang guard: longer than nginx waits for the application.
SECONDS = 90.0
CSRF_COOKIE = "__Host-csrftoken"
# What a person sees as “no answer”: the connection could not be made, or it broke.
NO_ANSWER = 0
BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """What came back; the status is ``NO_ANSWER`` where nothing did."""

    status: int
    location: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Order:
    """A filled form of `Paste in a CSR`. Sent again, it is the same submission."""

    alias: str
    csr: bytes
    submission: str = field(default_factory=lambda: str(uuid.uuid4()))


class Browser:
    """One browser. Several threads may send with it once it is signed in."""

    def __init__(self, stack: Stack, *, host: str = PORTAL) -> None:
        self._port = stack.layout.ports["https"]
        self._host = host
        self._context = ssl.create_default_context(cafile=str(stack.layout.directory / "root.pem"))
        self._cookies: dict[str, str] = {}

    @property
    def origin(self) -> str:
        return f"https://{self._host}:{self._port}"

    @property
    def cookie(self) -> str:
        """The header with which it comes again; empty before its first answer."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def sign_in(self, email: str, password: str, *, to: str = "/projects/") -> None:
        """Sign in by the form. Raises AssertionError where the site does not let this person in."""
        answer = self.try_to_sign_in(email, password, to=to)
        assert answer.status == 302, (answer.status, answer.text[:500])

    def try_to_sign_in(self, email: str, password: str, *, to: str = "/projects/") -> Answer:
        """Send the form of sign-in, to which a page leads."""
        path = urlsplit(self.get(to).location).path
        self.get(path)
        return self.post(path, {"login": email, "password": password})

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self.send("GET", path)

    def post(self, path: str, form: dict[str, str]) -> Answer:
        """Send a form."""
        body = urlencode(form | self.token()).encode()
        return self.send("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def token(self) -> dict[str, str]:
        """What a form of this site holds besides what a person fills in."""
        return {"csrfmiddlewaretoken": self._cookies.get(CSRF_COOKIE, "")}

    def issue(self, project: str, order: Order) -> Answer:
        """Send the form of `Paste in a CSR`."""
        form = {"alias": order.alias, "submission": order.submission, "csr": order.csr.decode()}
        return self.post(f"/projects/{project}/sandbox/add/paste-csr/", form)

    def send(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own."""
        try:
            return self._send(method, path, body, headers or {})
        except BROKEN:
            return Answer(NO_ANSWER)

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        with (
            socket.create_connection((LOOPBACK, self._port), timeout=SECONDS) as plain,
            self._context.wrap_socket(plain, server_hostname=self._host) as secure,
        ):
            connection = http.client.HTTPConnection(self._host, self._port)
            connection.sock = secure
            own = {"Origin": self.origin, "Referer": f"{self.origin}{path}", "Connection": "close"}
            connection.request(method, path, body, own | headers | ({"Cookie": self.cookie} if self.cookie else {}))
            answer = connection.getresponse()
            content = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(answer.status, answer.headers.get("Location", ""), content, dict(answer.headers.items()))
