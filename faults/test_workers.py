"""Workers: killed whole, or one process of their pool, while they sign and tell."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

from faults.agreement import check_notices, wait_until
from faults.site import Site

OF_REQUESTS = "split_part(event, ':', 2) = ANY(%s) AND kind = 'kmp.request-signed'"
SENT = f"SELECT count(*) FROM connect_notice WHERE channel = 'mail' AND state = 'sent' AND {OF_REQUESTS}"
# The two officers and the company's group mailbox.
TOLD = 3


def _begun(site: Site, numbers: list[str], count: int) -> bool:
    return site.states(numbers).get("signed", 0) >= count


def _kill_both(site: Site) -> None:
    for name in ("worker1", "worker2"):
        site.kill_whole(name)


def test_both_workers_are_killed_while_they_sign(site: Site, found: Callable[..., None]) -> None:
    """Each request is signed once, by whoever comes next, and everybody is told."""
    numbers = site.work("renewals", "40", "at-once")["numbers"]
    wait_until(lambda: _begun(site, numbers, 3), what="the workers have begun")
    signed = site.states(numbers).get("signed", 0)
    _kill_both(site)
    before = site.states(numbers).get("signed", 0)
    wait_until(lambda: _begun(site, numbers, before + 1), what="the workers are back")
    sent = site.database.count(SENT, numbers)
    _kill_both(site)
    site.wait_until_signed(numbers)
    site.wait_until_sent(OF_REQUESTS, numbers, count=TOLD * len(numbers))
    # Each of four processes may have sent one mail that it did not store, each time.
    again = check_notices(site.database, site.mails, where=OF_REQUESTS, values=[numbers], repeats=8)
    found(
        "Both workers killed, twice, while they sign and tell",
        f"{len(numbers)} renewals",
        f"{signed} were signed at the first time, {sent} mails sent at the second; {len(numbers)} signed once, "
        f"{TOLD * len(numbers)} mails",
        f"{again} mails (8 may be)",
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
        f"{again} mails ({killed} may be)",
    )
