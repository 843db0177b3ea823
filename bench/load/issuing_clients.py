"""Clients that work at once, each in a process of its own, and how fast they were together."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError

from bench.report import percentile
from config.collecting import collect_less

# A hang guard: for the slowest client to be ready, or to have done its part.
WAIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to do the work. ``requests`` are made beforehand; ``work`` answers one, with something to know it by."""

    requests: Callable[[int], Sequence[bytes]]
    work: Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one client did in one turn: when it began and ended, how long each piece took, in seconds; its answers."""

    way: str
    begin: float
    end: float
    each: tuple[float, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """What all clients did together in one way: ``rate`` a second, and how long one piece took, in milliseconds."""

    rate: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"{self.rate:.0f}/s, p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms"


Make = Callable[[int], Mapping[str, Way]]
# In a client's process: how it is made, and what all wait at before and after each turn.
_own: list[tuple[Make, Barrier]] = []


def in_turns(make: Make, clients: int, turns: Sequence[tuple[str, int]]) -> list[list[Turn]]:
    """What each client did in its turns: a way of those that ``make`` gives the client with this number, how often.

    All clients begin a turn together. Their processes are forks: let go of the database before. They look for what
    nothing refers to as seldom as a web server does. Raises RuntimeError where a client fails.
    """
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(clients)
    with (
        _like_a_web_server(),
        ProcessPoolExecutor(clients, context, initializer=_begin, initargs=(make, barrier)) as pool,
    ):
        under_way = [pool.submit(_take_turns, number, tuple(turns)) for number in range(clients)]
        failures = [failure for one in under_way if (failure := one.exception()) is not None]
        # Those that waited for the one that failed say nothing of the cause.
        causes = [failure for failure in failures if not isinstance(failure, BrokenBarrierError)]
        if failures:
            raise RuntimeError("A client could not do its work") from (causes or failures)[0]
        return [one.result() for one in under_way]


def together(turns: Iterable[Sequence[Turn]]) -> Load:
    """The load of several turns, each of all clients: work is counted from its first beginning to its last end."""
    rounds = list(turns)
    each = [spent * 1000 for clients in rounds for turn in clients for spent in turn.each]
    seconds = sum(max(turn.end for turn in clients) - min(turn.begin for turn in clients) for clients in rounds)
    return Load(rate=len(each) / seconds, p50=percentile(each, 50), p99=percentile(each, 99))


def by_way(found: Sequence[Sequence[Turn]]) -> dict[str, Load]:
    """The load of each way, from what ``in_turns`` gives."""
    rounds = list(zip(*found, strict=True))
    ways = dict.fromkeys(clients[0].way for clients in rounds)
    return {way: together(clients for clients in rounds if clients[0].way == way) for way in ways}


@contextmanager
def _like_a_web_server() -> Iterator[None]:
    """Forks inherit it. Else each would once look through all that was loaded, and copy the memory that it is in."""
    before = gc.get_threshold()
    collect_less()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _begin(make: Make, barrier: Barrier) -> None:
    _own.append((make, barrier))


def _take_turns(number: int, turns: Sequence[tuple[str, int]]) -> list[Turn]:
    make, barrier = _own[-1]
    try:
        ways = make(number)
        return [_take_turn(name, ways[name], count, barrier) for name, count in turns]
    except BaseException:
        barrier.abort()
        raise


def _take_turn(name: str, way: Way, count: int, barrier: Barrier) -> Turn:
    requests = way.requests(count)
    each, answers = [], []
    barrier.wait(WAIT_SECONDS)
    begin = last = time.monotonic()
    for request in requests:
        answers.append(way.work(request))
        now = time.monotonic()
        each.append(now - last)
        last = now
    barrier.wait(WAIT_SECONDS)
    return Turn(name, begin, last, tuple(each), tuple(answers))
