"""Web servers and nginx: killed and reloaded while people issue certificates."""

from __future__ import annotations

from collections.abc import Callable

from faults.agreement import check_orders
from faults.site import CLIENTS, ISSUED, Crowd, Site

ORDERS = 60


def test_one_of_two_web_servers_is_killed_during_issues(site: Site, found: Callable[..., None]) -> None:
    """Who got an answer has a certificate; who got none sends the form again and has one, not two."""
    site.wait_until_all_serve()
    crowd = Crowd(site, [site.order() for _ in range(ORDERS)])
    crowd.begin()
    crowd.wait_for(ORDERS // 4)
    site.kill_whole("web1")
    answers = crowd.end()
    taken = [name for name, answer in answers.items() if answer.status == ISSUED]
    check_orders(site.database, taken)
    unanswered = [order for order in crowd.orders if order.submission not in taken]
    assert len(unanswered) <= CLIENTS, "only what was under way may fail: the other server takes the rest"
    made = sum(site.made(order) for order in unanswered)
    site.issue_again(unanswered)
    check_orders(site.database, list(answers))
    found(
        "One of two web servers killed",
        f"{ORDERS} forms by {CLIENTS} people",
        f"{len(taken)} answered at once, all with their row; {len(unanswered)} sent again, {made} of which had been "
        f"stored before; {ORDERS} certificates",
    )


def test_nginx_is_reloaded_under_load(site: Site, found: Callable[..., None]) -> None:
    """Nobody notices: every form is answered, the first time."""
    crowd = Crowd(site, [site.order() for _ in range(ORDERS)])
    crowd.begin()
    for part in range(1, 6):
        crowd.wait_for(part * ORDERS // 6)
        site.stack.kill("nginx", "HUP")
    answers = crowd.end()
    assert {answer.status for answer in answers.values()} == {ISSUED}
    check_orders(site.database, list(answers))
    found(
        "nginx reloaded 5 times under load", f"{ORDERS} forms by {CLIENTS} people", f"{ORDERS} answered the first time"
    )
