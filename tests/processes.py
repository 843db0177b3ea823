"""pytest plugin: real processes of the site beside the tests, on the same database and the same Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from config.celery import app

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
END_SECONDS = 30


def site_environment() -> dict[str, str]:
    """The environment in which another process of the site works on this test's database and Redis."""
    environment = dict(os.environ)
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        directory = connection.settings_dict["OPTIONS"]["host"]
        environment["DATABASE_URL"] = f"postgresql://postgres@/{name}?host={directory}"
    return environment


@pytest.fixture
def celery_worker_process(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker that takes the tasks which the test sends, once they are committed."""
    with celery_worker(tmp_path / "worker.log") as process:
        yield process


@contextmanager
def celery_worker(
    said: Path, *, module: Sequence[str] = ("celery", "--app", "config"), **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker for as long as the block lasts, or until it is killed. Several may run: each has a name of its own.

    ``said`` is its log. ``module`` is what Python runs, and takes the arguments of ``celery worker``.
    """
    name = f"{said.stem}-{uuid.uuid4().hex}@tests"
    arguments = ["worker", "--concurrency", "1", "--loglevel", "INFO", "--hostname", name]
    with open(said, "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *module, *arguments],
            cwd=ROOT,
            env={**site_environment(), **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_worker(process, name, said)
            yield process
        finally:
            _end(process)


def _wait_for_worker(process: subprocess.Popen[bytes], name: str, said: Path) -> None:
    last_moment = time.monotonic() + START_SECONDS
    while not app.control.ping(destination=[name], timeout=0.3):
        if process.poll() == -signal.SIGKILL:
            return  # It had work to do at once, and was meant to die of it.
        if process.poll() is not None or time.monotonic() > last_moment:
            raise RuntimeError(f"The worker did not start. It said: {said.read_text(errors='replace')}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
