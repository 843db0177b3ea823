"""Redis: emptied and killed, and hanging, while requests and notices wait."""

from __future__ import annotations

from collections.abc import Callable

import redis

from faults.agreement import check_notices, check_orders
from faults.site import ISSUED, Crowd, Site

RENEWALS = 200
CERTIFICATES = 250
# Both admins of the project.
MAILS = 2 * CERTIFICATES
OF_CERTIFICATES = "watched = ANY(%s)"


def test_redis_is_emptied_and_restarted_while_work_waits(site: Site, found: Callable[..., None]) -> None:
    """Messages are hints: what they were about is found in the database, and done once."""
    numbers = site.work("renewals", str(RENEWALS), "later")["numbers"]
    watched = site.work("notices", str(CERTIFICATES))["watched"]
    waiting = RENEWALS - site.states(numbers).get("signed", 0)
    with redis.Redis.from_url(site.stack.layout.redis_url) as client:
        client.flushall()
    site.stack.kill("redis")
    site.wait_until_signed(numbers)
    site.wait_until_sent(OF_CERTIFICATES, watched, count=MAILS, seconds=180)
    again = check_notices(site.database, site.mails, where=OF_CERTIFICATES, values=[watched], repeats=0)
    found(
        "Redis emptied and killed",
        f"{RENEWALS} renewals, {waiting} of them waiting, and {MAILS} notices of an end",
        f"{RENEWALS} signed once by the sweep; {MAILS} mails",
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
