"""A real nginx in front of two real granians, one for the endpoint and one for the portal, on the test's database."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.run import nginx
from tests.gateway.tls_client import Response
from tests.processes import ROOT, site_environment

PORTAL, SANDBOX, PRODUCTION = "portal.rehearsal.test", "sandbox.rehearsal.test", "production.rehearsal.test"
SECRET = "the-secret-of-the-front-in-these-tests"
START_SECONDS = 60
END_SECONDS = 30
PATIENCE_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_so: Callable[[], bool]) -> None:
    """Fails the test where it does not become so."""
    last_moment = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < last_moment
        time.sleep(0.1)


@dataclass(slots=True)
class Front:
    """The ports of nginx and of what is behind it, and where its files lie."""

    folder: Path
    https: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)
    web: int = field(default_factory=free_port)
    gateway: int = field(default_factory=free_port)
    nginx: subprocess.Popen[bytes] | None = None
    # Of the granians alone, beside what they need.
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def endpoint_directory(self) -> Path:
        return self.folder / "gateway"

    def url(self, host: str) -> str:
        return f"https://{host}:{self.https}"

    @property
    def environment(self) -> dict[str, str]:
        """Of the two granians."""
        return {
            **site_environment(),
            "SITE_URL": self.url(PORTAL),
            "ALLOWED_HOSTS": PORTAL,
            "BEHIND_PROXY": "true",
            "GATEWAY_URL": self.url(SANDBOX),
            "GATEWAY_PROD_URL": self.url(PRODUCTION),
            "GATEWAY_FRONT_SECRET": SECRET,
            "GATEWAY_FRONT_ADDRESSES": "127.0.0.1",
            **self.told,
        }

    @property
    def variables(self) -> dict[str, str]:
        """Of nginx's configuration."""
        chain, key = self.endpoint_directory / "endpoint.pem", self.endpoint_directory / "endpoint.key.pem"
        return {
            "NGINX_STATE_DIR": str(self.folder / "nginx"),
            "NGINX_HTTP_LISTEN": f"127.0.0.1:{self.http}",
            "NGINX_HTTPS_LISTEN": f"127.0.0.1:{self.https}",
            "NGINX_SITE_URL": self.url(PORTAL),
            "NGINX_PORTAL_HOST": PORTAL,
            "NGINX_SANDBOX_HOST": SANDBOX,
            "NGINX_PRODUCTION_HOST": PRODUCTION,
            "NGINX_PORTAL_CERTIFICATE": str(chain),
            "NGINX_PORTAL_KEY": str(key),
            "NGINX_ENDPOINT_CERTIFICATE": str(chain),
            "NGINX_ENDPOINT_KEY": str(key),
            "NGINX_TLS_PROTOCOLS": "TLSv1.2 TLSv1.3",
            "NGINX_WEB_SERVERS": f"server 127.0.0.1:{self.web};",
            "NGINX_GATEWAY_SERVERS": f"server 127.0.0.1:{self.gateway};",
            "NGINX_STATIC_ROOT": str(Path(self.environment["STATE_DIR"]) / "static"),
            "NGINX_FRONT_SECRET": SECRET,
            "NGINX_CONNECTIONS_PER_ADDRESS": "100",
            "NGINX_ACCESS_LOG": str(self.folder / "access.log"),
            "NGINX_ERROR_LOG": str(self.folder / "error.log"),
        }

    def log_lines(self) -> list[dict[str, Any]]:
        """nginx's own log."""
        return [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]

    def log_of(self, answer: Response) -> dict[str, Any]:
        """The line about a request, which is written a moment after its answer."""
        request_id = answer.headers["x-request-id"]
        wait_until(lambda: any(line["request_id"] == request_id for line in self.log_lines()))
        return next(line for line in self.log_lines() if line["request_id"] == request_id)

    def curl(
        self, host: str, path: str, *arguments: str, client: Path | None = None, scheme: str = "https"
    ) -> Response:
        """Call one host. ``client`` is PEM with a certificate and its key."""
        port = self.https if scheme == "https" else self.http
        command = [
            *("curl", "--silent", "--show-error", "--include", "--path-as-is", "--max-time", str(PATIENCE_SECONDS)),
            *("--cacert", str(self.ca_file), "--resolve", f"{host}:{port}:127.0.0.1", "--noproxy", "*"),
            *(("--cert", str(client)) if client else ()),
            *arguments,
            f"{scheme}://{host}:{port}{path}",
        ]
        done = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_SECONDS + 10)
        assert done.stdout, done.stderr.decode(errors="replace")
        return read_answer(done.stdout)

    def connect(
        self,
        server_name: str | None,
        *,
        client: Path | None = None,
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """A TLS connection to nginx, for what no client would send. The server's certificate is not looked at."""
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if client is not None:
                context.load_cert_chain(client)
        plain = socket.create_connection(("127.0.0.1", self.https), timeout=PATIENCE_SECONDS)
        return context.wrap_socket(plain, server_hostname=server_name, session=session)

    def raw(self, sent: bytes, *, to: str = SANDBOX, client: Path | None = None) -> bytes:
        """Everything that comes back for these octets until nginx closes; what it leaves open is closed after 2 s."""
        with self.connect(to, client=client) as connection:
            connection.sendall(sent)
            return everything(connection)

    def raw_plain(self, sent: bytes) -> bytes:
        """The same without TLS, at the port for TLS."""
        with socket.create_connection(("127.0.0.1", self.https), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(sent)
            return everything(connection)


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes, or says nothing for two seconds."""
    connection.settimeout(2)
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except (TimeoutError, ConnectionError, ssl.SSLError):
        return received
    return received


def read_answer(received: bytes) -> Response:
    """The last of the responses that curl shows (an interim 100 comes before it)."""
    head, _, body = received.partition(b"\r\n\r\n")
    if head.split(b" ")[1] == b"100":
        return read_answer(body)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Response(int(first.split(" ")[1]), headers, body)


def certify(front: Front) -> None:
    """A server certificate for all three hosts, signed by itself, where the site would put its own."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    names = ",".join(f"DNS:{host}" for host in (PORTAL, SANDBOX, PRODUCTION))
    files = ["-keyout", front.variables["NGINX_ENDPOINT_KEY"], "-out", str(front.ca_file)]
    command = [*made, *files, "-subj", "/CN=front", "-addext", f"subjectAltName={names}"]
    subprocess.run(command, check=True, capture_output=True)
    Path(front.variables["NGINX_ENDPOINT_CERTIFICATE"]).write_bytes(front.ca_file.read_bytes())


@contextmanager
def running(folder: Path) -> Iterator[Front]:
    """All three, until the block ends."""
    front = Front(folder)
    front.endpoint_directory.mkdir()
    certify(front)
    configuration = nginx.write(front.variables, folder / "conf")
    with ExitStack() as stack:
        stack.enter_context(granian(front, "config.gateway_wsgi:application", front.gateway))
        stack.enter_context(granian(front, "config.wsgi:application", front.web))
        command = nginx.command(configuration)
        front.nginx = stack.enter_context(_process(command, folder / "nginx.out", front.https))
        for port in (front.gateway, front.web):
            wait_until_listening(port, None, folder / "nginx.out")
        yield front


@contextmanager
def another_nginx(
    front: Front, folder: Path, variables: Mapping[str, str], *, more: Mapping[str, str] | None = None
) -> Iterator[Front]:
    """A second nginx before the same granians, with some variables changed, and with more at the end of some files."""
    other = Front(folder, web=front.web, gateway=front.gateway)
    other.endpoint_directory.symlink_to(front.endpoint_directory)
    other.ca_file.symlink_to(front.ca_file)
    configuration = nginx.write({**other.variables, **variables}, folder / "conf")
    for name, text in (more or {}).items():
        with (folder / "conf" / name).open("a", encoding="utf-8") as file:
            file.write(text)
    with _process(nginx.command(configuration), folder / "nginx.out", other.https) as other.nginx:
        yield other


@contextmanager
def granian(front: Front, application: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """As the compose file starts it, with one process."""
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--blocking-threads", "4", "--no-ws"),
        *("--log-config", "config/granian_logging.json", application),
    ]
    said = front.folder / f"granian-{port}.out"
    with _process(command, said, None, environment=front.environment) as process:
        yield process


@contextmanager
def _process(
    command: list[str], said: Path, port: int | None, *, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with open(said, "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        if port is not None:
            wait_until_listening(port, process, said)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_listening(port: int, process: subprocess.Popen[bytes] | None, said: Path) -> None:
    """Raises RuntimeError with what the program said where it ends or takes too long."""
    last_moment = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if (process is not None and process.poll() is not None) or time.monotonic() > last_moment:
                raise RuntimeError(
                    f"Port {port} is not answered. It said: {said.read_text(errors='replace')}"
                ) from None
            time.sleep(0.05)
        else:
            return
