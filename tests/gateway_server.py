"""pytest plugin: the live mTLS endpoint as a process of its own, on this test's database, as `make run` starts it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.processes import ROOT, site_environment

START_SECONDS = 60
END_SECONDS = 30
OPENSSL_CONF = "gateway/openssl.cnf"


@dataclass(frozen=True, slots=True)
class LiveGateway:
    """A running endpoint: its ports by environment, what its clients must trust, its process and what that said."""

    ports: dict[str, int]
    ca_file: Path
    process: subprocess.Popen[bytes]
    log: Path

    def url(self, environment: str) -> str:
        """The address of one host, without a path, as `settings.GATEWAY_URLS` has it."""
        return f"https://localhost:{self.ports[environment]}"

    def stop(self) -> int:
        """End it as `make run` does, and wait for it: its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)

    def said(self) -> str:
        """Everything that it has written so far."""
        return self.log.read_text(errors="replace")


@pytest.fixture
def live_gateway(
    transactional_db: None, authorities: object, settings: Settings, tmp_path: Path
) -> Iterator[LiveGateway]:
    """The endpoint at two free ports; `settings.GATEWAY_URLS` and `GATEWAY_PORTS` name them while the test lasts."""
    with running_gateway(settings, tmp_path) as gateway:
        yield gateway


@contextmanager
def running_gateway(settings: Settings, folder: Path, **environment: str) -> Iterator[LiveGateway]:
    """An endpoint for as long as the block lasts, with these variables beside those of the run.

    ``authorities`` must be there. Its log and the bundle of its CA are put into the folder.
    """
    from certauthority import server_certificates  # noqa: PLC0415  Plugins are read before the apps are.
    from certauthority.authorities import chain_of, newest_authority  # noqa: PLC0415
    from certauthority.models.authority import AuthorityPurpose  # noqa: PLC0415
    from certauthority.x509.export import pem_bundle  # noqa: PLC0415

    ports = dict(zip(("sandbox", "production"), free_ports(2), strict=True))
    settings.GATEWAY_PORTS = ports
    settings.GATEWAY_URLS = {name: f"https://localhost:{port}" for name, port in ports.items()}
    server_certificates.certify_if_due(now=timezone.now())
    ca_file = folder / "endpoint-ca.pem"
    ca_file.write_text(pem_bundle(chain_of(newest_authority(AuthorityPurpose.SERVICES))))
    told = {"GATEWAY_PORT": str(ports["sandbox"]), "GATEWAY_PROD_PORT": str(ports["production"]), **environment}
    log = folder / "gateway.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve_gateway"],
            cwd=ROOT,
            env={**site_environment(), "OPENSSL_CONF": OPENSSL_CONF, "PYTHONUNBUFFERED": "1", **told},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    gateway = LiveGateway(ports, ca_file, process, log)
    try:
        wait_for_ports(list(ports.values()), process, log)
        yield gateway
    finally:
        end(process)


def free_ports(count: int) -> list[int]:
    """Different ports of loopback that nobody listens at."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def wait_for_ports(ports: list[int], process: subprocess.Popen[bytes], log: Path) -> None:
    """Until all of them can be connected to."""
    last_moment = time.monotonic() + START_SECONDS
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except OSError:
                if process.poll() is not None or time.monotonic() > last_moment:
                    said = log.read_text(errors="replace")
                    raise RuntimeError(f"The endpoint did not start. It said: {said}") from None
                time.sleep(0.05)
            else:
                break


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and see that it is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
