"""Processes that only these tests start: some whose clock is ahead, by libfaketime, and a second beat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tools.stack import servers
from tools.stack.layout import Layout

DAYS = 400
LATER = "-later"
SECOND_BEAT = "beat-second"
MOVED = ("web1", "worker1", "beat", "gateway")


class NoClock(Exception):
    """libfaketime is missing; the message says what to install."""


def second_beat(layout: Layout) -> servers.Program:
    """Another beat, as on another machine: with a state directory of its own."""
    (beat,) = [program for program in _programs(layout) if program.name == "beat"]
    return replace(
        beat, name=SECOND_BEAT, environment={**beat.environment, "STATE_DIR": str(layout.directory / "other")}
    )


def later_programs(layout: Layout) -> list[servers.Program]:
    """A second web server, worker, beat and endpoint, to be started in place of the others, for whom it is later."""
    surroundings = clock_ahead(DAYS)
    return [
        replace(program, name=f"{program.name}{LATER}", environment={**program.environment, **surroundings})
        for program in _programs(layout)
        if program.name in MOVED
    ]


def _programs(layout: Layout) -> list[servers.Program]:
    return servers.programs(layout, nginx_program="nginx", redis_program="redis-server")


def clock_ahead(days: int) -> dict[str, str]:
    """The environment of a process whose clock is so many days ahead. Raises NoClock."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise NoClock("The tests of the clock need libfaketime. Install it: apt-get install faketime")
    # Time-outs count by the other clock, which goes on as it was.
    return {"LD_PRELOAD": str(library), "FAKETIME": f"+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
