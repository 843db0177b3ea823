"""Processes of the site whose clock is ahead, by libfaketime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tools.stack import servers
from tools.stack.layout import Layout

DAYS = 400
LATER = "-later"
MOVED = ("web1", "worker1", "beat")


class NoClock(Exception):
    """libfaketime is missing; the message says what to install."""


def later_programs(layout: Layout) -> list[servers.Program]:
    """A second web server, worker and beat, to be started in place of the others, for whom it is later."""
    surroundings = clock_ahead(DAYS)
    return [
        replace(program, name=f"{program.name}{LATER}", environment={**program.environment, **surroundings})
        for program in servers.programs(layout, nginx_program="nginx", redis_program="redis-server")
        if program.name in MOVED
    ]


def clock_ahead(days: int) -> dict[str, str]:
    """The environment of a process whose clock is so many days ahead. Raises NoClock."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise NoClock("The tests of the clock need libfaketime. Install it: apt-get install faketime")
    # Time-outs count by the other clock, which goes on as it was.
    return {"LD_PRELOAD": str(library), "FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
