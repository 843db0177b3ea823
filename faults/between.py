"""The ways between the site and its servers, as a test breaks and mends them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

MODES = ("cut", "blackhole", "slow")


class Between:
    """The proxy process, and the ports at which it stands between the site and each server."""

    def __init__(self, targets: Mapping[str, int]) -> None:
        self._targets = dict(targets)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.proxy", *(f"{name}={port}" for name, port in targets.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: dict[str, int] = json.loads(self._line())

    @contextmanager
    def broken(self, name: str, mode: str) -> Iterator[None]:
        """The way to a server in this mode, for as long as the block lasts."""
        self._order(name, mode)
        try:
            yield
        finally:
            self._order(name, "ok")

    @contextmanager
    def leading_to(self, name: str, port: int) -> Iterator[None]:
        """The way to a server leads to another one, for as long as the block lasts."""
        self._order(name, "ok", port)
        try:
            yield
        finally:
            self._order(name, "ok", self._targets[name])

    def end(self) -> None:
        """End the proxy, which closes every way."""
        self._process.communicate(timeout=30)

    def _order(self, name: str, mode: str, target: int | None = None) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the proxy takes no orders")
        order = {"name": name, "mode": mode} | ({} if target is None else {"target": target})
        self._process.stdin.write(f"{json.dumps(order)}\n")
        self._process.stdin.flush()
        self._line()

    def _line(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError("the proxy has ended")
        return line
