"""Starting `python -m config.run` as a person would, and ending it."""

from __future__ import annotations

import http.client
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import psutil

from tests.config.conftest import ROOT, clean_environment
from tests.gateway_server import free_ports

READY_SECONDS = 120
END_SECONDS = 30


class Launched:
    """One launcher with everything that it said so far, and the processes that it started. A block ends it."""

    def __init__(self, state: Path, port: int) -> None:
        self.port = port
        self.endpoint = free_ports(2)
        ports = {"PORT": port, "GATEWAY_PORT": self.endpoint[0], "GATEWAY_PROD_PORT": self.endpoint[1]}
        self.lines: list[str] = []
        self._unread: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.run"],
            cwd=ROOT,
            env=clean_environment(STATE_DIR=str(state), **{name: str(number) for name, number in ports.items()}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.descendants: list[psutil.Process] = []

    def _read(self) -> None:
        if self.process.stdout is not None:
            for line in self.process.stdout:
                self._unread.put(line.rstrip("\n"))
        self._unread.put(None)

    def wait_until_ready(self) -> None:
        """Read until the line that says so; the test fails with everything said where it does not come."""
        self.read_until("Ready:")

    def read_until(self, beginning: str) -> None:
        """Read until a line that begins so, and take note of the processes which there are then."""
        last_moment = time.monotonic() + READY_SECONDS
        while not self.lines or not self.lines[-1].startswith(beginning):
            line = self._unread.get(timeout=max(0.1, last_moment - time.monotonic()))
            if line is None:
                raise AssertionError(f"The launcher ended before it said {beginning}\n" + "\n".join(self.lines))
            self.lines.append(line)
        self.note_processes()

    def note_processes(self) -> None:
        """Take note of the processes that the launcher has started, to see later whether they ended."""
        self.descendants = psutil.Process(self.process.pid).children(recursive=True)

    def wait_until_ended(self) -> int:
        """The exit code; what it said on the way is in `lines`."""
        code = self.process.wait(END_SECONDS)
        self._reader.join(END_SECONDS)
        while (line := self._unread.get(timeout=END_SECONDS)) is not None:
            self.lines.append(line)
        return code

    def still_running(self) -> list[str]:
        """The processes of this launcher that outlived it."""
        _, alive = psutil.wait_procs(self.descendants, timeout=2)
        return [f"{process.pid} {process.name()}" for process in alive]

    def program(self, name: str) -> psutil.Process:
        """The oldest process of this program, named by its first word or, after an interpreter, by the second."""
        found = [
            process
            for process in self.descendants
            if any(Path(word).name == name for word in " ".join(process.cmdline()).split()[:2])
        ]
        return min(found, key=psutil.Process.create_time)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of one page."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(END_SECONDS)
        self._reader.join(END_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
