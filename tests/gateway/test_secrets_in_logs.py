"""What the endpoint and nginx before it write when clients send secrets by every way there is: none of them (P18)."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from pytest_django import Settings

from certauthority.models import Authority
from tests.gateway import nginx_front, past_nginx
from tests.gateway.nginx_front import SANDBOX, Front, free_port
from tests.gateway.test_nginx_verdicts import live_credential
from tests.gateway_server import running_gateway
from tests.hostile.secrets_made import KEYSTORES, SECRETS, Secret

GUARD_SECONDS = 60
EVERYTHING = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where it is, for curl; ``known`` is what makes curl find and trust it."""

    url: str
    known: Sequence[str]
    client: Path

    def ask(self, path: str, *arguments: str, sent: bytes | None = None) -> int:
        """The status; 0 where the connection was closed without one."""
        body = () if sent is None else ("--data-binary", "@-")
        done = subprocess.run(
            [
                *("curl", "--silent", "--path-as-is", "--noproxy", "*", "--output", "/dev/null"),
                *("--write-out", "%{http_code}", "--cert", str(self.client), *self.known, *arguments, *body),
                f"{self.url}{path}",
            ],
            input=sent or b"",
            capture_output=True,
            timeout=GUARD_SECONDS,
            check=False,
        )
        return int(done.stdout)


def canary() -> str:
    return f"canary-{secrets.token_hex(24)}"


def send(endpoint: Endpoint, secret: Secret) -> Iterable[int]:
    """As body, as form, in a header, in the query and in the path; with a body that does not fit, too."""
    quoted = quote(secret.content, safe="")
    line = secret.content.replace(b"\n", b" ").decode() if secret.is_text else base64.b64encode(secret.content).decode()
    yield endpoint.ask("/echo", sent=secret.content)
    yield endpoint.ask("/whoami", "--header", f"Content-Type: {FORM}", sent=f"key={quoted}".encode())
    yield endpoint.ask("/whoami", "--header", f"X-Api-Key: {line}")
    yield endpoint.ask(f"/whoami?key={quoted}")
    yield endpoint.ask(f"/nowhere/{quoted}")
    yield endpoint.ask(f"/{quote(line, safe='')}")
    # nginx puts the first of these in a file, and refuses the second.
    for size in (100_000, 2_000_000):
        yield endpoint.ask(f"/echo?key={quoted}", sent=secret.content + bytes(size))


def send_all(endpoint: Endpoint, password: str) -> None:
    statuses = [status for secret in [*SECRETS, *KEYSTORES] for status in send(endpoint, secret)]
    statuses += [endpoint.ask("/whoami", "--user", f"alice:{password}")]
    statuses += [endpoint.ask("/whoami", "--header", f"Cookie: sessionid={password}")]
    statuses += [endpoint.ask("/status/599", "--header", f"Authorization: Bearer {password}")]
    assert {200, 404, 413, 599} <= set(statuses) <= {0, 200, 400, 404, 405, 413, 431, 599}, sorted(set(statuses))


def traces_in(logged: bytes) -> list[bytes]:
    return [trace for secret in [*SECRETS, *KEYSTORES] for trace in forms_of(secret) if trace in logged]


def forms_of(secret: Secret) -> Iterable[bytes]:
    """As it is, as an address has it, and as this test puts octets into a header."""
    for trace in secret.traces:
        yield trace
        yield quote(trace, safe="").encode()
    if not secret.is_text:
        yield base64.b64encode(secret.content)[20:60]


def test_the_endpoint_of_make_run_writes_no_secret(
    settings: Settings,
    transactional_db: None,
    authorities: dict[str, Authority],
    tmp_path: Path,
    client_file: Path,
) -> None:
    live_credential(client_file)
    password = canary()
    hidden = {"CA_KEY_PASSPHRASE": canary(), "METRICS_TOKEN": canary(), "SECRET_KEY": canary()}
    with running_gateway(settings, tmp_path, **EVERYTHING, **hidden) as gateway:
        known = ("--cacert", str(gateway.ca_file))
        send_all(Endpoint(gateway.url("sandbox"), known, client_file), password)
        # One whose handshake fails leaves a line, and so does one without a certificate.
        subprocess.run(["curl", "--silent", gateway.url("production")], check=False, timeout=GUARD_SECONDS)
        subprocess.run(["curl", "--silent", *known, gateway.url("production")], check=False, timeout=GUARD_SECONDS)
        nginx_front.wait_until(lambda: "CLIENT_CERT_MISSING" in gateway.said())
        assert gateway.stop() == 0
    logged = gateway.said().encode()
    for value in [password, *hidden.values()]:
        assert value.encode() not in logged
    assert traces_in(logged) == []


@pytest.fixture
def front_secret() -> str:
    return canary()


def test_nginx_and_the_endpoint_behind_it_write_no_secret(
    front: Front, tmp_path: Path, client_file: Path, front_secret: str
) -> None:
    live_credential(client_file)
    password, claimed = canary(), canary()
    hidden = {"CA_KEY_PASSPHRASE": canary(), "METRICS_TOKEN": canary(), "SECRET_KEY": canary()}
    folder = tmp_path / "said"
    folder.mkdir()
    behind = Front(folder, gateway=free_port(), told={**EVERYTHING, **hidden, "GATEWAY_FRONT_SECRET": front_secret})
    with (
        nginx_front.granian(behind, "config.gateway_wsgi:application", behind.gateway) as process,
        nginx_front.another_nginx(
            front,
            folder,
            {
                "NGINX_GATEWAY_SERVERS": f"server 127.0.0.1:{behind.gateway};",
                "NGINX_FRONT_SECRET": front_secret,
            },
        ) as before,
    ):
        nginx_front.wait_until_listening(behind.gateway, process, folder / f"granian-{behind.gateway}.out")
        known = ("--cacert", str(before.ca_file), "--resolve", f"{SANDBOX}:{before.https}:127.0.0.1")
        endpoint = Endpoint(before.url(SANDBOX), known, client_file)
        send_all(endpoint, password)
        assert past_nginx.ask_directly(behind.gateway, "/", {"X-Rehearsal-Front-Secret": claimed}) == [403]
        assert before.curl(SANDBOX, "/").reason == "CLIENT_CERT_MISSING"
    said = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".out", ".log")}
    assert said.keys() >= {"access.log", "error.log", "nginx.out", f"granian-{behind.gateway}.out"}
    for name, logged in said.items():
        for value in [password, claimed, front_secret, *hidden.values()]:
            assert value.encode() not in logged, name
        assert traces_in(logged) == [], name
    lines = [json.loads(line) for line in said[f"granian-{behind.gateway}.out"].splitlines()]
    assert any("A request to the endpoint was refused" in line["message"] for line in lines)
    assert any("CLIENT_CERT_MISSING" in line["message"] for line in lines)
    asked = [json.loads(line)["message"] for line in said["access.log"].splitlines()]
    assert "POST /echo" in asked, "the path is there, and the query is not"
    assert len(asked) > 8 * len(SECRETS)
