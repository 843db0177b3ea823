"""Single calls, whose cost must not grow with the number of certificates: an issue, an OCSP answer, a verdict.

One client asks, one call after the other. The issue is by the use-case, in this process; the OCSP answer is signed on
the spot, because the question has a nonce; of the endpoint the processor time of its process is taken.
"""
# ruff: noqa: PLC0415  Django is set up (`bench.load.site`) before its models can be imported.

from __future__ import annotations

import http.client
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from bench import tls_client
from bench.load.site import Site
from bench.report import Plot, Result, percentile
from bench.tls_client import Target
from tools.stack.layout import PORTAL, SANDBOX

ISSUES, ANSWERS, WARM_UP = 200, 500, 20
ENDPOINT_SECONDS = 5.0
ISSUE, OCSP, ENDPOINT = "an issue, p50", "an OCSP answer, p50", "the endpoint’s CPU time, one call"


class Calls:
    """Who asks, made before any other certificate is there; and what was found at each size."""

    def __init__(self, site: Site, folder: Path) -> None:
        from bench import ocsp
        from bench.handshakes import client_certificate
        from bench.issuance import new_project, requests_for
        from certauthority.authorities import newest_authority
        from certauthority.models.authority import AuthorityPurpose

        self._site = site
        self._caller = Target(site.layout.ports["https"], SANDBOX, client_certificate(folder))
        authority = newest_authority(AuthorityPurpose.KMP)
        (certificate,) = ocsp.issue(1)
        self._path, self._question = f"/ocsp/{authority.name}", ocsp.request_for(authority, certificate, nonce=True)
        self._project = new_project("Growth")
        self._csrs = requests_for(self._project)
        self._found: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def measure(self, size: int) -> Iterator[Result]:
        """Each call at this number of certificates."""
        yield self._result("issuing through the use-case", ISSUE, self._issues(), size)
        yield self._result("OCSP by POST with a nonce", OCSP, self._answers(), size)
        yield self._endpoint(size)

    def plot(self) -> Plot:
        """Milliseconds over the number of certificates."""
        return Plot("calls", "Single calls", "certificates", "ms", dict(self._found), log_x=True, log_y=True)

    def _result(self, name: str, series: str, each: list[float], size: int) -> Result:
        p50, p99 = (percentile(each, percent) * 1000 for percent in (50, 99))
        self._found[series].append((size, p50))
        return Result(f"{name}, {size:,}: p50", f"{p50:.2f} ms (p99 {p99:.2f})")

    def _issues(self) -> list[float]:
        from bench.issuance import issue

        csrs = [next(self._csrs) for _ in range(WARM_UP + ISSUES)]
        return _timed(lambda: issue(self._project, csrs.pop()), ISSUES)

    def _answers(self) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", self._site.layout.ports["http"], timeout=60)
        headers = {"Host": PORTAL, "Content-Type": "application/ocsp-request"}

        def ask() -> None:
            connection.request("POST", self._path, self._question, headers)
            answer = connection.getresponse()
            if not answer.read() or answer.status != http.client.OK:
                raise RuntimeError(f"OCSP answers {answer.status}")

        try:
            return _timed(ask, ANSWERS)
        finally:
            connection.close()

    def _endpoint(self, size: int) -> Result:
        tls = tls_client.context_with(self._caller.certificate)
        tls_client.requests(self._caller, tls, seconds=1.0)
        before = self._processor_seconds("gateway")
        spent = tls_client.requests(self._caller, tls, seconds=ENDPOINT_SECONDS)
        cost = (self._processor_seconds("gateway") - before) / len(spent.each) * 1000
        self._found[ENDPOINT].append((size, cost))
        p50, p99 = (percentile(spent.each, percent) * 1000 for percent in (50, 99))
        return Result(
            f"endpoint’s answer, {size:,}: CPU time of its process",
            f"{cost:.2f} ms (p50 {p50:.2f}, p99 {p99:.2f}, {spent.rate:.0f}/s)",
        )

    def _processor_seconds(self, name: str) -> float:
        """What a process of the stack, and those that it began, have spent of the processor so far."""
        whole = [psutil.Process(self._site.stack.pid(name))]
        whole += whole[0].children(recursive=True)
        return sum(sum(process.cpu_times()[:2]) for process in whole)


def _timed(work: Callable[[], object], times: int) -> list[float]:
    """How long each took, in seconds, once what is read or prepared at first has been."""
    for _ in range(WARM_UP):
        work()
    each = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        each.append(time.perf_counter() - start)
    return each
