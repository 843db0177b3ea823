"""Workers: killed whole, or one process of their pool, while they sign and tell."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

from faults.agreement import check_notices, wait_until
from faults.site import Site

OF_REQUESTS = "split_part(event, ':', 2) = ANY(%s) AND kind IN ('kmp.request-signed')"
# The two officers and the company's group mailbox.
TOLD = 3


def _begun(site: Site, numbers: list[str], count: int) -> bool:
    return site.states(numbers).get("signed", 0) >= count


def test_both_workers_are_killed_while_they_sign(site: Site, found: Callable[..., None]) -> None:
    """Each request is signed once, by whoever comes next, and everybody is told."""
    numbers = site.work("renewals", "40", "at-once")["numbers"]
    wait_until(lambda: _begun(site, numbers, 3), what="the workers have begun")
    signed = site.states(numbers).get("signed", 0)
    for name in ("worker1", "worker2"):
        site.kill_whole(name)
    site.wait_until_signed(numbers)
    site.wait_until_sent(OF_REQUESTS, numbers, count=TOLD * len(numbers))
    # Each of four processes may have sent one mail that it did not store.
    again = check_notices(site.database, site.mails, where=OF_REQUESTS, values=[numbers], repeats=4)
    found(
        "Both workers killed while they sign",
        f"{len(numbers)} renewals",
        f"{signed} were signed when it came; {len(numbers)} signed once, {TOLD * len(numbers)} mails",
        f"{again} mails",
    )


def test_a_process_of_a_pool_is_killed(site: Site, found: Callable[..., None]) -> None:
    """Its task is given to another; nothing is signed twice."""
    numbers = site.work("renewals", "20", "at-once")["numbers"]
    killed = 0
    for count in (1, 6, 12):
        wait_until(partial(_begun, site, numbers, count), what=f"{count} are signed")
        for pid in site.stack.children("worker1")[:1]:
            os.kill(pid, signal.SIGKILL)
            killed += 1
    site.wait_until_signed(numbers)
    site.wait_until_sent(OF_REQUESTS, numbers, count=TOLD * len(numbers))
    again = check_notices(site.database, site.mails, where=OF_REQUESTS, values=[numbers], repeats=killed)
    found(
        f"{killed} processes of a worker's pool killed",
        f"{len(numbers)} renewals",
        f"{len(numbers)} signed once, {TOLD * len(numbers)} mails",
        f"{again} mails",
    )
