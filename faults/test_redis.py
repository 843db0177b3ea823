"""Redis: emptied and killed, and hanging, while requests and notices wait."""

from __future__ import annotations

from collections.abc import Callable

import redis

from faults.agreement import check_notices, check_orders, wait_until
from faults.site import ISSUED, Crowd, Site

RENEWALS, CERTIFICATES = 200, 700
# Two officers and a group mailbox are told of each request as it is submitted and as it is signed; of the end of a
# certificate the two admins of its project.
DUE = 3 * RENEWALS + 2 * CERTIFICATES
MAILS = DUE + 3 * RENEWALS
THESE = "(split_part(event, ':', 2) = ANY(%s) OR watched = ANY(%s))"
IN_STATE = f"SELECT count(*) FROM connect_notice WHERE channel = 'mail' AND state = %s AND {THESE}"
WORKERS = ("worker1", "worker2")
# A hang guard: on two idle cores it takes two minutes.
SENDING_SECONDS = 500


def test_redis_is_emptied_and_restarted_while_work_waits(site: Site, found: Callable[..., None]) -> None:
    """Messages are hints: what they were about is found in the database, and done once."""
    for worker in WORKERS:
        site.stack.stop_process(worker)
    watched = site.work("notices", str(CERTIFICATES))["watched"]
    numbers = site.work("renewals", str(RENEWALS), "at-once")["numbers"]
    assert site.states(numbers) == {"submitted": RENEWALS}
    assert site.database.count(IN_STATE, "due", numbers, watched) == DUE
    assert site.messages() >= RENEWALS
    for worker in WORKERS:
        site.stack.start_process(worker)
    wait_until(lambda: site.states(numbers).get("signed", 0) > 0, what="the workers have begun")
    with redis.Redis.from_url(site.stack.layout.redis_url) as client:
        client.flushall()
    site.stack.kill("redis")
    signed = site.states(numbers).get("signed", 0)
    sent = site.database.count(IN_STATE, "sent", numbers, watched)
    site.wait_until_signed(numbers, seconds=SENDING_SECONDS)
    site.wait_until_sent(THESE, numbers, watched, count=MAILS, seconds=SENDING_SECONDS)
    site.wait_until_quiet()
    again = check_notices(site.database, site.mails, where=THESE, values=[numbers, watched], repeats=0)
    found(
        "Redis emptied and killed",
        f"{RENEWALS} renewals ({signed} were signed by then), {DUE:,} notices due ({sent} were sent by then)",
        f"{RENEWALS} signed once; {MAILS:,} mails",
        f"{again} mails",
    )


def test_redis_hangs_during_issues(site: Site, found: Callable[..., None]) -> None:
    """Nobody waits for it longer than its time-outs; everything is issued."""
    crowd = Crowd(site, [site.order() for _ in range(30)], clients=8)
    site.stack.kill("redis", "STOP")
    try:
        crowd.begin()
        answers = crowd.end()
    finally:
        site.stack.kill("redis", "CONT")
    assert {answer.status for answer in answers.values()} == {ISSUED}
    check_orders(site.database, list(answers))
    found("Redis hangs", "30 forms by 8 people", "30 answered the first time")
