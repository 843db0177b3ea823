"""Runs `tests.gateway.tiny_site`: the server alone, fast to start, with limits as short as a test likes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_server import END_SECONDS, OPENSSL_CONF, end, free_ports, wait_for_ports
from tests.processes import ROOT
from tests.tls_servers import server_certificate


@dataclass(frozen=True, slots=True)
class TinyServer:
    """Its sandbox port, the other one, what its clients trust, its process and its log."""

    port: int
    production_port: int
    ca_file: Path
    key_file: Path
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Everything that it has written so far."""
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Tell it to end, and wait for it: its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)


@contextmanager
def running(folder: Path, *, limits: dict[str, Any] | None = None, **told: Any) -> Iterator[TinyServer]:
    """The server for as long as the block lasts. ``limits`` are fields of ``gateway.limits.Limits``."""
    folder.mkdir(parents=True, exist_ok=True)
    chain, key = server_certificate(folder)
    ports = free_ports(2)
    words = {"ports": ports, "chain": str(chain), "key": str(key), "limits": limits or {}, **told}
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.tiny_site", json.dumps(words)],
            cwd=ROOT,
            env={**os.environ, "OPENSSL_CONF": OPENSSL_CONF, "LOG_LEVEL": "INFO", "PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_ports(ports, process, log)
        yield TinyServer(ports[0], ports[1], chain, key, process, log)
    finally:
        end(process)


@pytest.fixture(scope="session")
def tiny_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyServer]:
    """One server for all tests that need no limits of their own."""
    with running(tmp_path_factory.mktemp("tiny")) as server:
        yield server
    assert "Traceback" not in server.said()


@pytest.fixture(scope="session")
def hasty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyServer]:
    """One that waits for nobody, and has two threads."""
    limits = {
        "handshake_seconds": 1.5,
        "head_seconds": 1.5,
        "request_seconds": 4,
        "idle_seconds": 3,
        "linger_seconds": 1,
        "threads": 2,
    }
    with running(tmp_path_factory.mktemp("hasty"), limits=limits) as server:
        yield server
    assert "Traceback" not in server.said()
