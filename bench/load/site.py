"""The running stack that is measured, and this process as one more of the site's own."""
# ruff: noqa: PLC0415  Django is set up, by `running`, before its models can be imported.

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.stack.layout import PORTAL, Layout, layout_in, site_environment
from tools.stack.running import Stack

# Who works by itself in the background; a measurement of what the background does stops them first.
BACKGROUND = ("beat", "worker1", "worker2")


@dataclass(frozen=True, slots=True)
class Site:
    """A stack that runs. Django is set up on its database, so that use-cases and models may be called here, too."""

    stack: Stack

    @property
    def layout(self) -> Layout:
        """Its directory, addresses, ports and secrets."""
        return self.stack.layout

    @property
    def root(self) -> Path:
        """The root's certificate in PEM: what a client verifies all hosts of the stack with."""
        return self.layout.directory / "root.pem"

    def get(self, path: str, host: str = PORTAL) -> tuple[int, bytes]:
        """Status and body of a page, by nginx, over TLS on a connection of its own, with nobody signed in."""
        return self.stack.ask(path, host)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing of the background runs inside: it would do what is measured before the measurement does."""
        for name in BACKGROUND:
            self.stack.stop_process(name)
        try:
            yield
        finally:
            for name in BACKGROUND:
                self.stack.start_process(name)


@contextmanager
def running() -> Iterator[Site]:
    """A new stack in a temporary directory, and Django set up on it; both are gone afterwards.

    Once in a process. Raises ``tools.stack.running.StackProblem`` where it does not start.
    """
    directory = Path(tempfile.mkdtemp(prefix="mtls-load-"))
    try:
        layout = layout_in(directory / "stack")
        with Stack(layout) as stack:
            _set_up_django(layout)
            yield Site(stack)
            _let_go_of_the_database()
    finally:
        kept = os.environ.get("BENCH_KEEP_LOGS")
        if kept:
            shutil.copytree(directory / "stack" / "logs", kept, dirs_exist_ok=True)
        shutil.rmtree(directory, ignore_errors=True)


def _set_up_django(layout: Layout) -> None:
    os.environ |= site_environment(layout, signs=True) | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()


def _let_go_of_the_database() -> None:
    from django.db import connections

    connections.close_all()
