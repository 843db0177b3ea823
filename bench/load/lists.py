"""CRLs of up to a million entries: one list, and the same certificates spread over 16 lists; publishing and serving.

The rows are made by SQL, with the serial number in an entry that the site itself wrote; the library parses the list
that comes of them. Beat and workers rest meanwhile.
"""
# ruff: noqa: PLC0415  Django is set up (`bench.load.site`) before its models can be imported.

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

import psutil
from cryptography import x509

from bench.load.bulk import analyse, insert, without_indexes
from bench.load.publishing import Published, published
from bench.report import Plot, Result, at_most
from tools.stack.layout import LOOPBACK, PORTAL

if TYPE_CHECKING:
    from bench.load.site import Site

SIZES = (10_000, 100_000, 1_000_000)
SHARDS = 16
SECONDS, MIB = 4.0, 600.0
NEW = 1_000
READERS = 8
READER_MIB = 100.0
TIMES = 3
AUTHORITY = "developers"
_MIB = 1024 * 1024
# 20 octets that stand in the entry where the serial number does.
_PLACE = int("4" + "0" * 39, 16)
_SOURCE = """
FROM (SELECT n, encode(sha256(('crl ' || n)::bytea), 'hex') AS digest
    FROM generate_series(%(first)s::int, %(last)s::int) n) numbered,
  LATERAL (SELECT '4' || substr(digest, 1, 39) AS serial) drawn
"""


def measure(site: Site) -> Iterator[Result | Plot]:
    """Seconds and MiB of one list and of a shard at each size, and how the largest is served."""
    found: dict[int, tuple[Published, Published]] = {}
    with site.quiet():
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            fill(before, size)
            found[size] = (_middle(lambda: published(AUTHORITY)), _middle(lambda: published(AUTHORITY, 3)))
            yield from _told(size, *found[size])
        yield _all_shards()
        yield _with_new()
    yield from _served(site, SIZES[-1])
    yield from _plots(found)


def fill(before: int, size: int) -> None:
    """So many revoked certificates as there are to be, each on the list that it names, by number of its serial."""
    from django.utils import timezone

    from certauthority.models import Authority, Certificate
    from certauthority.x509.revocation_list import crl_entry

    now = timezone.now()
    entry = crl_entry(serial=_PLACE, revoked_at=now, reason="superseded")
    begins, _, ends = entry.partition(_PLACE.to_bytes(20, "big"))
    values = {"first": before + 1, "last": size, "now": now, "end": now + timedelta(days=300)}
    values |= {"authority": Authority.objects.get(name=AUTHORITY).pk, "begins": begins, "ends": ends, "none": b""}
    with without_indexes([Certificate]):
        insert(Certificate, _columns(), _SOURCE, values)
    analyse()


def _columns() -> dict[str, str]:
    digest = dict.fromkeys(("issuer_digest", "subject_digest", "fingerprint", "public_key_fingerprint"), "digest")
    moments = dict.fromkeys(("not_before", "recorded_at", "linted_at", "revoked_at", "on_crl_at"), "%(now)s")
    return {
        **digest,
        **moments,
        "id": "md5('crl ' || n)::uuid",
        "authority": "%(authority)s",
        "issuer": "'CN=Rehearsal Developers CA'",
        "serial": "serial",
        "subject": "'CN=' || n",
        "common_name": "n",
        "key_description": "'EC P-256'",
        "not_after": "%(end)s",
        "der": "%(none)s",
        "revocation_reason": "'superseded'",
        "crl_entry": "%(begins)s::bytea || decode(serial, 'hex') || %(ends)s::bytea",
        # The serial number, which is even more than 64 bits, by 16: its last digit.
        "crl_shard": f"('x' || right(serial, 1))::bit(4)::int %% {SHARDS} + 1",
    }


def _middle(work: Callable[[], Published]) -> Published:
    """The run of the median time, with the most memory that any of them took."""
    runs = sorted((work() for _ in range(TIMES)), key=lambda run: run.seconds)
    middle = runs[len(runs) // 2]
    return Published(
        middle.entries,
        middle.octets,
        statistics.median(run.seconds for run in runs),
        middle.cpu_seconds,
        max(run.mib for run in runs),
        middle.mib_before,
    )


def _told(size: int, full: Published, shard: Published) -> Iterator[Result]:
    name = f"CRL of {size:,} entries"
    note = f" ({full.octets / _MIB:.0f} MiB)"
    of_shard = f"one of {SHARDS} CRLs of {size:,} entries"
    if size == SIZES[-1]:
        yield at_most(f"{name}, from rows to signed DER", full.seconds, SECONDS, "s", note)
        yield at_most(f"{name}, memory of its process", full.mib, MIB, "MiB", f" ({full.mib_before:.0f} before)")
    else:
        yield Result(f"{name}, from rows to signed DER", f"{full.seconds:.2f} s{note}")
        yield Result(f"{name}, memory of its process", f"{full.mib:.0f} MiB ({full.mib_before:.0f} before)")
    yield Result(f"{of_shard}, from rows to signed DER", f"{shard.seconds:.2f} s ({shard.entries:,} entries)")
    yield Result(f"{of_shard}, memory of its process", f"{shard.mib:.0f} MiB")


def _all_shards() -> Result:
    """What the hourly renewal of all lists takes, in one process."""
    from django.utils import timezone

    from certauthority import revocation_lists
    from certauthority.models import Authority

    authority = Authority.objects.get(name=AUTHORITY)
    begin = time.perf_counter()
    for shard in range(1, SHARDS + 1):
        revocation_lists.publish(authority, shard=shard, now=timezone.now())
    return Result(f"all {SHARDS} CRLs of {SIZES[-1]:,} entries", f"{time.perf_counter() - begin:.2f} s")


def _with_new() -> Result:
    from certauthority.models import Certificate

    fresh = Certificate.objects.filter(crl_shard__isnull=False).values("pk")[:NEW]
    Certificate.objects.filter(pk__in=fresh).update(on_crl_at=None, crl_shard=None)
    found = published(AUTHORITY)
    return Result(f"CRL of {SIZES[-1]:,} entries, {NEW:,} of them new", f"{found.seconds:.2f} s")


def _served(site: Site, size: int) -> Iterator[Result]:
    """By nginx, the first time and from its cache; and past it, by eight clients at once: what a web server holds."""
    path = f"/ca/{AUTHORITY}.crl"
    seconds = []
    for _ in range(2):
        begin = time.perf_counter()
        status, body = site.get(path)
        seconds.append(time.perf_counter() - begin)
        if status != http.HTTPStatus.OK or len(x509.load_der_x509_crl(body)) < size:
            raise ValueError(f"{path} answered {status}, with {len(body)} octets that are no list of {size} entries.")
    yield Result(f"CRL of {size:,} entries by nginx, not kept yet", f"{seconds[0]:.2f} s")
    yield Result(f"CRL of {size:,} entries by nginx, from its cache", f"{seconds[1]:.2f} s")
    servers = [psutil.Process(pid) for pid in (site.stack.pid("web1"), *site.stack.children("web1"))]
    before = _resident(servers)
    with ThreadPoolExecutor(READERS) as pool, _Peak(servers) as peak:
        read = list(pool.map(lambda _: _read_from_web(site, path), range(READERS)))
    if len(set(read)) != 1:
        raise ValueError(f"{READERS} clients were sent lists of different lengths: {sorted(set(read))}.")
    grown = max(0.0, (peak.octets - before) / _MIB)
    yield at_most(f"{READERS} clients at once at a web server, memory it grew by", grown, READER_MIB, "MiB")


def _read_from_web(site: Site, path: str) -> int:
    """How many octets come; they are thrown away as they come."""
    connection = http.client.HTTPConnection(LOOPBACK, site.layout.ports["web1"], timeout=120)
    connection.request("GET", path, headers={"Host": PORTAL, "X-Forwarded-Proto": "http"})
    answer, octets = connection.getresponse(), 0
    while piece := answer.read(_MIB):
        octets += len(piece)
    connection.close()
    return octets


def _resident(servers: list[psutil.Process]) -> int:
    return sum(server.memory_info().rss for server in servers)


class _Peak:
    """The most memory that the servers had together while the block lasted, looked at every 10 ms."""

    def __init__(self, servers: list[psutil.Process]) -> None:
        self.octets = 0
        self._servers = servers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            self.octets = max(self.octets, _resident(self._servers))


def _plots(found: dict[int, tuple[Published, Published]]) -> Iterator[Plot]:
    labels = ("one list", f"one of {SHARDS} lists")
    for name, title, unit, limit, of in (
        ("crl-seconds", "Publishing a CRL", "seconds from rows to signed DER", SECONDS, attrgetter("seconds")),
        ("crl-memory", "Memory of a process that publishes a CRL", "MiB", MIB, attrgetter("mib")),
    ):
        series = {
            label: [(float(size), of(runs[place])) for size, runs in found.items()]
            for place, label in enumerate(labels)
        }
        yield Plot(name, title, "revoked certificates", unit, series, limit=limit, log_x=True)
