"""One stack for all the tests of faults; it is ended whatever happens, and the table of results is printed."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from faults import results
from faults.agreement import check_certificates, check_mails
from faults.between import Between
from faults.more_programs import later_programs, second_beat
from faults.results import Row
from faults.site import Site, processes_of
from tools.stack.layout import layout_in
from tools.stack.running import Stack

BETWEEN = ("database", "redis", "mail")
LAST = "test_clock.py"
_rows: list[Row] = []


def pytest_configure(config: pytest.Config) -> None:
    """A run that is told to end, such as by `timeout`, ends its stack, too."""
    signal.signal(signal.SIGTERM, _interrupt)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The clock comes last: nobody can turn it back for the site."""
    items.sort(key=lambda item: item.path.name == LAST)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was found, and keep it where that is asked for."""
    if _rows:
        terminalreporter.section("faults")
        terminalreporter.write_line(results.table(_rows))
    if os.environ.get("FAULTS_WRITE") == "1":
        if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
            terminalreporter.write_line("docs/reliability.md stays as it is: not everything passed.")
        else:
            results.write(_rows)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The running site, with a proxy before each server."""
    directory = Path(tempfile.mkdtemp(prefix="mtls-faults-"))
    layout = layout_in(directory / "stack")
    between = Between({name: layout.ports[name] for name in BETWEEN})
    layout = replace(layout, between=between.ports)
    layout.keep_addresses()
    try:
        with Stack(layout, [*later_programs(layout), second_beat(layout)]) as stack:
            yield Site(stack, between)
        assert processes_of(stack) == [], "a stack that has ended left processes"
    finally:
        between.end()
        kept = os.environ.get("FAULTS_KEEP")
        if kept:
            shutil.copytree(directory / "stack" / "logs", kept, dirs_exist_ok=True)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(autouse=True)
def _everything_agrees(site: Site, request: pytest.FixtureRequest) -> Iterator[None]:
    """After each fault the site serves again, and what it has agrees."""
    yield
    site.stack.wait_until_ready()
    check_certificates(site.database)
    if request.path.name != LAST:  # In 400 days the rows of the first mails have been removed.
        check_mails(site.database, site.mails)


@pytest.fixture
def found() -> Callable[..., None]:
    """Note a row of the table."""

    def note(fault: str, sent: str, what: str, repeats: str = "none") -> None:
        _rows.append(Row(fault, sent, what, repeats))

    return note


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
