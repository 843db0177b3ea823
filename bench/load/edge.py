"""The edge of the stack under load: OCSP from nginx's cache and past it, and the live endpoint behind nginx.

OCSP is asked over plain http, as the certificates say, for many certificates in turn. GET is measured from nginx's
cache, which has every answer, and at the two web servers themselves, which have them made ahead; POST through nginx,
which keeps none, once without a nonce and once with, so that each answer is signed on the spot. At the endpoint each
client has a process of its own: it either shakes hands in full for each request, or asks on one open connection.
"""
# ruff: noqa: PLC0415  Django is set up, by `bench.load.site.running`, before its models can be imported.

from __future__ import annotations

import base64
import http.client
import multiprocessing
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from urllib.parse import quote

import psutil

from bench import tls_client
from bench.load import wrk
from bench.load.site import Site
from bench.report import Plot, Result, percentile
from bench.tls_client import Spent, Target
from bench.web import http_request
from tools.stack.layout import PORTAL, SANDBOX

CERTIFICATES = 2000
CONNECTIONS = (1, 4, 16, 64)
CLIENTS = (1, 2, 4, 8, 16)
# Of both the figure that the table names; the plots have all.
NAMED_CONNECTIONS, NAMED_CLIENTS = 16, 4
SECONDS = 4
START_SECONDS = 120
CACHE_LIMIT, CACHE_SHARE = 20_000, 0.99
CACHE, WEB, POST, NONCE = "GET, nginx’s cache", "GET, past the cache", "POST", "POST with a nonce"
# In a client's process: what it waits at until all of them are there.
_together: list[Barrier] = []


def measure(site: Site) -> Iterator[Result | Plot]:
    """OCSP first, then the endpoint. The limit is on OCSP from the cache alone."""
    yield from _measure_ocsp(site)
    yield from _measure_endpoint(site)


@dataclass(frozen=True, slots=True)
class _Question:
    """One way to ask for OCSP: at which ports, and what."""

    ports: Sequence[int]
    requests: Sequence[bytes]


def _measure_ocsp(site: Site) -> Iterator[Result | Plot]:
    if wrk.PROGRAM is None:
        yield Result(f"OCSP: {CACHE}", wrk.MISSING, f"at least {CACHE_LIMIT}/s", good=False)
        return
    questions = _questions(site)
    _warm(site, questions[CACHE])
    found: dict[str, list[tuple[float, wrk.Load]]] = {}
    for name, question in questions.items():
        found[name] = []
        for connections in CONNECTIONS:
            before = _work_of_nginx(site)
            load = wrk.load(question.ports, question.requests, connections=connections, seconds=SECONDS)
            found[name].append((connections, load))
            if connections == NAMED_CONNECTIONS and name == CACHE:
                yield _cache_line(load, share=_share_from_cache(site))
                spent = (_work_of_nginx(site) - before) / load.answers * 1_000_000
                yield Result(f"OCSP: {name}: nginx’s own work", f"{spent:.1f} µs of CPU for an answer")
            elif connections == NAMED_CONNECTIONS:
                yield Result(f"OCSP: {name}", _figure(load))
    yield Plot(
        name="edge-ocsp",
        title="OCSP answers through nginx’s cache and without",
        x_label="Open connections",
        y_label="Answers a second",
        series={name: [(at, load.rate) for at, load in points] for name, points in found.items()},
        limit=CACHE_LIMIT,
        log_x=True,
        log_y=True,
    )


def _cache_line(load: wrk.Load, *, share: float) -> Result:
    """Kept only where the answers came from the cache, and not from behind it."""
    return Result(
        f"OCSP: {CACHE}",
        _figure(load),
        f"at least {CACHE_LIMIT}/s",
        good=load.rate * share >= CACHE_LIMIT and share >= CACHE_SHARE,
    )


def _figure(load: wrk.Load) -> str:
    return f"{load.rate:.0f}/s, p50 {load.p50:.2f} ms, p99 {load.p99:.2f} ms"


def _work_of_nginx(site: Site) -> float:
    """What nginx's processes have worked so far, in seconds of one core."""
    times = [one.cpu_times() for one in psutil.Process(site.stack.pid("nginx")).children()]
    return sum(one.user + one.system for one in times)


def _questions(site: Site) -> dict[str, _Question]:
    from bench import ocsp
    from certauthority.authorities import newest_authority
    from certauthority.models.authority import AuthorityPurpose

    authority = newest_authority(AuthorityPurpose.KMP)
    certificates = ocsp.issue(CERTIFICATES)
    ocsp.make_ahead(authority)
    path = f"/ocsp/{authority.name}"
    plain = [ocsp.request_for(authority, certificate) for certificate in certificates]
    fresh = [ocsp.request_for(authority, certificate, nonce=True) for certificate in certificates]
    gets = [http_request("GET", f"{path}/{quote(base64.b64encode(one), safe='')}", host=PORTAL) for one in plain]
    ports = site.layout.ports
    return {
        CACHE: _Question([ports["http"]], gets),
        WEB: _Question([ports["web1"], ports["web2"]], gets),
        POST: _Question([ports["http"]], [http_request("POST", path, one, host=PORTAL) for one in plain]),
        NONCE: _Question([ports["http"]], [http_request("POST", path, one, host=PORTAL) for one in fresh]),
    }


def _warm(site: Site, question: _Question) -> None:
    """Have nginx keep every answer, and look that each is one for a certificate that is good."""
    from cryptography.x509 import ocsp as reader

    connection = http.client.HTTPConnection("127.0.0.1", site.layout.ports["http"], timeout=60)
    for request in question.requests:
        for expected in ("MISS", "HIT"):
            connection.request("GET", request.split(b" ")[1].decode(), headers={"Host": PORTAL})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != http.client.OK or answer.headers["X-Cache-Status"] != expected:
                raise RuntimeError(f"OCSP is answered with {answer.status}, cache: {answer.headers['X-Cache-Status']}")
            if reader.load_der_ocsp_response(body).certificate_status is not reader.OCSPCertStatus.GOOD:
                raise RuntimeError("OCSP does not call a new certificate good")
    connection.close()


def _share_from_cache(site: Site) -> float:
    """How many of nginx's last answers came from its cache, by its log: as many lines as it has of the load."""
    with (site.layout.logs / "access.log").open("rb") as log:
        statuses = [b'"cache":"HIT"' in line for line in log if b"/ocsp/" in line]
    measured = statuses[2 * CERTIFICATES :]
    return sum(measured) / len(measured)


def _measure_endpoint(site: Site) -> Iterator[Result | Plot]:
    from bench.handshakes import client_certificate

    with tempfile.TemporaryDirectory() as directory:
        target = Target(site.layout.ports["https"], SANDBOX, client_certificate(Path(directory)))
        kinds: dict[str, Callable[[Target, int], list[Spent]]] = {
            "full handshakes": handshakes_of_clients,
            "requests on open connections": requests_of_clients,
        }
        series: dict[str, list[tuple[float, float]]] = {}
        for name, run in kinds.items():
            run(target, 1)  # Fills caches and is not counted.
            for clients in CLIENTS:
                spent = run(target, clients)
                each = [one * 1000 for client in spent for one in client.each]
                for percent in (50, 99):
                    series.setdefault(f"{name}, p{percent}", []).append((clients, percentile(each, percent)))
                if clients in (1, NAMED_CLIENTS):
                    yield _endpoint_line(name, clients, spent, each)
    yield Plot(
        name="edge-endpoint",
        title="The mTLS endpoint behind nginx",
        x_label="Clients at once",
        y_label="Milliseconds",
        series=series,
        log_x=True,
        log_y=True,
    )


def _endpoint_line(name: str, clients: int, spent: list[Spent], each: list[float]) -> Result:
    rate = sum(client.rate for client in spent)
    who = "1 client" if clients == 1 else f"{clients} clients"
    figure = f"{rate:.0f}/s, p50 {percentile(each, 50):.2f} ms, p99 {percentile(each, 99):.2f} ms"
    return Result(f"mTLS behind nginx, {who}: {name}", figure)


def handshakes_of_clients(target: Target, clients: int) -> list[Spent]:
    """What so many clients did at once, each in a process of its own."""
    return _in_processes(_handshakes, target, clients)


def requests_of_clients(target: Target, clients: int) -> list[Spent]:
    """The same on connections that stay open."""
    return _in_processes(_requests, target, clients)


def _in_processes(work: Callable[[Target], Spent], target: Target, clients: int) -> list[Spent]:
    """Processes that are made anew: a fork would take over connections to the database."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(clients)
    with ProcessPoolExecutor(clients, context, initializer=_begin_together, initargs=(barrier,)) as pool:
        return list(pool.map(work, [target] * clients))


def _begin_together(barrier: Barrier) -> None:
    _together.append(barrier)


def _handshakes(target: Target) -> Spent:
    return tls_client.handshakes(target, _context(target), seconds=SECONDS)


def _requests(target: Target) -> Spent:
    return tls_client.requests(target, _context(target), seconds=SECONDS)


def _context(target: Target) -> ssl.SSLContext:
    """Once every client's process is there: none of them takes two clients' turns."""
    tls = tls_client.context_with(target.certificate)
    _together[-1].wait(START_SECONDS)
    return tls
