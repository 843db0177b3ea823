"""Many at once on one name, and many workers at once on one request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from certauthority.x509.requests import build_request, new_private_key
from faults.agreement import check_notices, check_orders
from faults.browser import Order
from faults.more_programs import SECOND_BEAT
from faults.site import ISSUED, Crowd, Site

NAMES, RACERS = 8, 4


def test_four_people_ask_for_one_name_at_once(site: Site, found: Callable[..., None]) -> None:
    """One gets it; the others are told that it is taken, and see no error page."""
    orders: list[Order] = []
    groups: list[list[str]] = []
    for _ in range(NAMES):
        subject = site.subject()
        same = [
            replace(site.order(), csr=build_request(subject, new_private_key()), alias=f"race-{len(orders)}-{number}")
            for number in range(RACERS)
        ]
        orders += same
        groups.append([order.submission for order in same])
    crowd = Crowd(site, orders)
    crowd.begin()
    answers = crowd.end()
    for group in groups:
        assert sorted(answers[name].status for name in group) == [200] * (RACERS - 1) + [ISSUED]
    check_orders(site.database, [name for name, answer in answers.items() if answer.status == ISSUED])
    assert sum(site.made(order) for order in orders) == NAMES, "who lost has nothing"
    losers = [answer.text for answer in answers.values() if answer.status == 200]
    assert all("rule is broken" in text for text in losers)
    found(
        f"{RACERS} people ask for one name at once",
        f"{len(orders)} forms for {NAMES} names",
        f"{NAMES} certificates; {len(losers)} told that the name is taken",
    )


def test_many_workers_take_one_request_at_once(site: Site, found: Callable[..., None]) -> None:
    """However often its message comes, it is signed once and told of once."""
    before = site.messages()
    numbers = site.work("renewals", "15", "at-once", "8")["numbers"]
    site.wait_until_signed(numbers)
    site.wait_until_quiet(besides=before)
    events = Counter(
        event
        for (event,) in site.database.rows(
            "SELECT event FROM connect_notice WHERE kind = 'kmp.request-signed' AND channel = 'mail' "
            "AND split_part(event, ':', 2) = ANY(%s)",
            numbers,
        )
    )
    assert set(events.values()) == {3}
    assert len(events) == len(numbers)
    found("One request's message comes 9 times", "15 renewals to 4 processes", "15 signed once; one notice for each")


def test_two_beats_send_everything_twice(site: Site, found: Callable[..., None]) -> None:
    """Nothing is done twice."""
    (site.stack.layout.directory / "other").mkdir(mode=0o700, exist_ok=True)
    site.stack.start_process(SECOND_BEAT)
    try:
        numbers = site.work("renewals", "10", "at-once")["numbers"]
        watched = site.work("notices", "20")["watched"]
        site.wait_until_signed(numbers)
        site.wait_until_sent("watched = ANY(%s)", watched, count=2 * len(watched))
    finally:
        site.stack.stop_process(SECOND_BEAT)
    again = check_notices(site.database, site.mails, where="watched = ANY(%s)", values=[watched], repeats=0)
    found("Two beats", "10 renewals, 40 notices", "10 signed once; 40 mails", f"{again} mails")
