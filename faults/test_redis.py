"""Redis: emptied and killed, and hanging, while requests and notices wait."""

from __future__ import annotations

from collections.abc import Callable

import redis

from faults.agreement import check_notices, check_orders
from faults.site import ISSUED, Crowd, Site

RENEWALS = 200
CERTIFICATES = 100
# Two officers and a group mailbox are told of each request as it is submitted and as it is signed; of the end of a
# certificate the two admins of its project.
MAILS = 2 * 3 * RENEWALS + 2 * CERTIFICATES
THESE = "(split_part(event, ':', 2) = ANY(%s) OR watched = ANY(%s))"
NOT_SENT = f"SELECT count(*) FROM connect_notice WHERE channel = 'mail' AND state = 'due' AND {THESE}"
# A hang guard: on two idle cores it takes one minute.
SENDING_SECONDS = 400


def test_redis_is_emptied_and_restarted_while_work_waits(site: Site, found: Callable[..., None]) -> None:
    """Messages are hints: what they were about is found in the database, and done once."""
    watched = site.work("notices", str(CERTIFICATES))["watched"]
    numbers = site.work("renewals", str(RENEWALS), "later")["numbers"]
    waiting = RENEWALS - site.states(numbers).get("signed", 0)
    unsent = site.database.count(NOT_SENT, numbers, watched)
    with redis.Redis.from_url(site.stack.layout.redis_url) as client:
        client.flushall()
    site.stack.kill("redis")
    site.wait_until_signed(numbers, seconds=SENDING_SECONDS)
    site.wait_until_sent(THESE, numbers, watched, count=MAILS, seconds=SENDING_SECONDS)
    again = check_notices(site.database, site.mails, where=THESE, values=[numbers, watched], repeats=0)
    found(
        "Redis emptied and killed",
        f"{RENEWALS} renewals ({waiting} waiting), {CERTIFICATES} ends ({unsent} notices due)",
        f"{RENEWALS} signed once by the sweep; {MAILS:,} mails",
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
