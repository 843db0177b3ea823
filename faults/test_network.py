"""The network between the site and its servers: cut, swallowing everything, and slow."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from faults.agreement import check_orders
from faults.browser import Answer, Browser
from faults.site import ISSUED, Crowd, Site

SWALLOWED_SECONDS = 8.0
HOW = {"cut": "cut", "blackhole": "swallows everything", "slow": "half a second late"}


def _during(site: Site, name: str, mode: str) -> tuple[Crowd, dict[str, Answer]]:
    """What eight people are answered while the way to a server is broken."""
    crowd = Crowd(site, [site.order() for _ in range(8)], clients=8)
    with site.between.broken(name, mode):
        crowd.begin()
        answers = crowd.end()
    return crowd, answers


@pytest.mark.parametrize("mode", ["cut", "blackhole", "slow"])
def test_the_way_to_redis_is_broken(site: Site, found: Callable[..., None], mode: str) -> None:
    """Issuing needs no Redis."""
    _, answers = _during(site, "redis", mode)
    assert {answer.status for answer in answers.values()} == {ISSUED}
    check_orders(site.database, list(answers))
    found(f"Network to Redis: {HOW[mode]}", "8 forms by 8 people", "8 answered the first time")


@pytest.mark.parametrize("mode", ["cut", "blackhole"])
def test_nobody_signs_in_without_redis(site: Site, found: Callable[..., None], mode: str) -> None:
    """Failed attempts could not be counted: the page says so; afterwards the same password is right."""
    with site.between.broken("redis", mode):
        answer = Browser(site.stack).try_to_sign_in(site.email, site.password)
    assert answer.status == 503
    assert "failed attempts cannot be counted" in answer.text
    Browser(site.stack).sign_in(site.email, site.password)
    found(f"Network to Redis: {HOW[mode]}", "1 sign-in", "told that nobody can sign in; signed in afterwards")


def test_the_way_to_postgresql_is_cut(site: Site, found: Callable[..., None]) -> None:
    """A page says that the database does not answer; nothing is stored; the next attempt works."""
    crowd, answers = _during(site, "database", "cut")
    statuses = sorted({answer.status for answer in answers.values()})
    assert statuses == [503]
    assert all("The site’s database does not answer" in answer.text for answer in answers.values())
    names = [{name.lower(): value for name, value in answer.headers.items()} for answer in answers.values()]
    assert {headers["retry-after"] for headers in names} == {"10"}
    assert [site.made(order) for order in crowd.orders] == [0] * len(crowd.orders)
    site.issue_again(crowd.orders)
    check_orders(site.database, list(answers))
    found("Network to PostgreSQL: cut", "8 forms by 8 people", f"answered {statuses}, nothing stored; 8 on repeating")


def test_the_way_to_postgresql_swallows_everything(site: Site, found: Callable[..., None]) -> None:
    """Whoever asks meanwhile is told that it does not work, or has a certificate once it does; never two."""
    crowd = Crowd(site, [site.order() for _ in range(8)], clients=8)
    with site.between.broken("database", "blackhole"):
        crowd.begin()
        time.sleep(SWALLOWED_SECONDS)
    answers = crowd.end()
    taken = [name for name, answer in answers.items() if answer.status == ISSUED]
    check_orders(site.database, taken)
    site.issue_again([order for order in crowd.orders if order.submission not in taken])
    check_orders(site.database, list(answers))
    found("Network to PostgreSQL: swallows everything", "8 forms by 8 people", f"{len(taken)} answered at once")


def test_the_way_to_postgresql_is_slow(site: Site, found: Callable[..., None]) -> None:
    """Slow, and right."""
    order = site.order()
    with site.between.broken("database", "slow"):
        answer = site.browser.issue(site.project, order)
    if answer.status != ISSUED:
        site.issue_again([order])
    check_orders(site.database, [order.submission])
    found("Network to PostgreSQL: half a second late", "1 form", f"answered {answer.status}; 1 certificate")
