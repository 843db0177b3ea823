"""What may grow with the number of certificates: pages, the scan for ends that people must be told of, single calls.

The database is filled with 10,000, then 100,000, then 1,000,000 certificates of 1,000 companies. One company has 1,000
of them at every size; a large one has every fiftieth, half of them in one project. Each page is asked for by eight
clients at once, through nginx, in a session that began at the form of sign-in. Beat and the workers rest meanwhile:
they would make OCSP responses for a million certificates that came all at once.
"""
# ruff: noqa: PLC0415  Django is set up (`bench.load.site`) before its models can be imported.

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench.load import fill, pages
from bench.load.calls import Calls
from bench.load.site import Site
from bench.report import Plot, Result, at_most, percentile, seconds

SIZES = (10_000, 100_000, 1_000_000)
PAGE_MILLISECONDS = 150
# Not at 30 days: of that, those who were to be told have been told (`bench.load.rows`).
DUE, DUE_DAYS = 2_000, (60, 14, 7)
DUE_SECONDS, IDLE_MILLISECONDS = 0.5, 20
CERTIFICATES = "certificates"
MIDDLE, LARGE = "company of 1,000", "large company"

Points = dict[str, list[tuple[float, float]]]


def measure(site: Site) -> Iterator[Result | Plot]:
    """Everything at each size; the limits of pages are those at the largest."""
    from django.utils import timezone

    with site.quiet(), tempfile.TemporaryDirectory() as directory:
        now = timezone.now()
        population = fill.populate(now=now)
        calls = Calls(site, Path(directory))
        people = {
            MIDDLE: pages.sign_in(site, population.middle),
            LARGE: pages.sign_in(site, population.large),
        }
        filler, growth = fill.Filler(population, now=now), _Growth()
        for size in SIZES:
            spent = seconds(lambda size=size: filler.fill(size), times=1)  # type: ignore[misc]  # mypy infers no default
            yield Result(f"filling up to {size:,} certificates", f"{spent:.0f} s")
            yield from _measure_pages(site, people, size, growth)
            yield from _measure_scan(size, growth)
            yield from calls.measure(size)
        yield from growth.results()
    yield from growth.plots()
    yield calls.plot()


class _Growth:
    """What was found at each size."""

    def __init__(self) -> None:
        self.pages: Mapping[str, Points] = {MIDDLE: defaultdict(list), LARGE: defaultdict(list)}
        self.queries: dict[str, set[int]] = defaultdict(set)
        self.scan: Points = defaultdict(list)

    def results(self) -> Iterator[Result]:
        """Whether a page asks the same number of queries at every size, of a company that has the same at every size.

        What a large one has grows along. A search of its inventory reaches into one or more of its four parts (live,
        expired, renewed, revoked), with up to two queries for each: so many more may be asked where it has few.
        """
        for name, found in self.queries.items():
            if name.endswith(MIDDLE):
                spread = max(found) - min(found)
                yield at_most(f"queries of {name}: most less fewest", spread, 0, "queries", f" ({min(found)})")
            else:
                yield Result(f"queries of {name}: fewest to most", f"{min(found)} to {max(found)}")

    def plots(self) -> Iterator[Plot]:
        """p95 of the pages, and the scan, over the number of certificates."""
        for who, name in ((MIDDLE, "pages"), (LARGE, "pages-large")):
            yield Plot(
                name,
                f"Pages, {who}, 8 clients",
                CERTIFICATES,
                "p95, ms",
                dict(self.pages[who]),
                limit=PAGE_MILLISECONDS,
                log_x=True,
            )
        yield Plot("scan", "Scan for ends", CERTIFICATES, "ms", dict(self.scan), log_x=True, log_y=True)


def _measure_pages(site: Site, people: Mapping[str, pages.Person], size: int, growth: _Growth) -> Iterator[Result]:
    for who, person in people.items():
        for name, page in pages.pages_of(person.holder).items():
            count = pages.queries(person, page)
            found = pages.latencies(site, person, page)
            p50, p95, p99 = (percentile(found, percent) for percent in (50, 95, 99))
            growth.pages[who][name].append((size, p95))
            growth.queries[f"{name}, {who}"].add(count)
            title, note = f"{name}, {who}, {size:,}: p95", f" (p50 {p50:.0f}, p99 {p99:.0f}, {count} queries)"
            if size == max(SIZES):
                yield at_most(title, p95, PAGE_MILLISECONDS, "ms", note)
            else:
                yield Result(title, f"{p95:.4g} ms{note}")


def _measure_scan(size: int, growth: _Growth) -> Iterator[Result]:
    """Nothing due, and then so many, of which somebody is told by mail and bell: as `bench.expiry` has it."""
    from django.utils import timezone

    from connect.expiry import scan

    scan.scan(now=timezone.now())
    idle = seconds(lambda: scan.scan(now=timezone.now()), times=9) * 1000
    growth.scan["nothing due"].append((size, idle))
    yield at_most(f"scan of {size:,}, nothing due", idle, IDLE_MILLISECONDS, "ms")
    found = [_scan_due(days) for days in DUE_DAYS]
    rows, spent = found[0][0], sorted(seconds for _, seconds in found)[len(found) // 2]
    growth.scan[f"{DUE:,} due"].append((size, spent * 1000))
    yield at_most(f"scan of {size:,}, {DUE:,} due, to rows written", spent, DUE_SECONDS, "s", f" ({rows:,} rows)")


def _scan_due(days: int) -> tuple[int, float]:
    from django.utils import timezone

    from bench.many_lifetimes import make_due
    from connect.expiry import scan
    from connect.models import Notice

    make_due(DUE, day=timezone.now().astimezone(UTC).date(), days_left=days)
    begun = datetime.now(UTC)
    start = time.perf_counter()
    scan.scan(now=begun)
    spent = time.perf_counter() - start
    told = Notice.objects.filter(created_at=begun)
    if told.values("watched").distinct().count() != DUE:
        raise RuntimeError(f"{told.count()} notices tell of other certificates than those that are due.")
    rows = told.count()
    told.delete()
    return rows, spent
