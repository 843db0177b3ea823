"""Measure the stack under load and print the table: `python -m bench.load [names]`; 1 where a limit is missed.

Each measurement gets a stack of its own, in a process of its own: what one leaves in the database is not there for the
next, and Django is set up once in a process.
"""

from __future__ import annotations

import importlib
import importlib.util
import signal
import subprocess
import sys
from types import FrameType
from typing import NoReturn

from bench import kept
from bench.load.site import running
from config.run.checks import Refusal
from tools.stack.running import StackProblem

MEASUREMENTS = ("issuing", "edge", "lists", "sizes")
MISSED, FAILED = 1, 2


def main(names: list[str]) -> int:
    """0 where every limit is kept, 1 where one is missed, 2 where something could not be measured."""
    signal.signal(signal.SIGTERM, _end)
    known = [name for name in MEASUREMENTS if importlib.util.find_spec(f"bench.load.{name}")]
    unknown = set(names) - set(known)
    if unknown:
        print(f"There is no measurement {', '.join(sorted(unknown))}. There are: {', '.join(known)}.", file=sys.stderr)
        return FAILED
    wanted = [name for name in known if not names or name in names]
    if len(wanted) == 1:
        return _measure(wanted[0])
    return max((_in_a_process(name) for name in wanted), default=0)


def _in_a_process(name: str) -> int:
    process = subprocess.Popen([sys.executable, "-m", "bench.load", name])
    try:
        status = process.wait()
    finally:
        process.terminate()  # Told to end, it ends its stack first.
        process.wait()
    return status if status in (0, MISSED) else FAILED


def _measure(name: str) -> int:
    module = importlib.import_module(f"bench.load.{name}")
    try:
        with running() as site:
            return 0 if kept.carry_out(module, module.measure(site)) else MISSED
    except (StackProblem, Refusal) as problem:
        print(problem, file=sys.stderr)
        return FAILED


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
