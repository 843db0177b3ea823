"""The stack itself: it ends whole, serves again from the same directory, and lets nobody start it twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults.agreement import check_orders
from faults.site import Site, processes_of
from tools.stack.running import Stack, StackProblem


def test_a_second_start_beside_the_first_is_refused(site: Site) -> None:
    """And the first one goes on."""
    with pytest.raises(StackProblem, match="runs already"), Stack(site.stack.layout):
        raise AssertionError("it was started twice")
    assert site.stack.ask("/healthz")[0] == 200


def test_it_ends_whole_and_serves_again(site: Site, found: Callable[..., None]) -> None:
    """What was there is there, for whoever was signed in, too."""
    before = site.order()
    site.issue_again([before])
    site.stack.end()
    assert processes_of(site.stack) == []
    site.stack.start()
    check_orders(site.database, [before.submission])
    after = site.order()
    site.issue_again([after])
    check_orders(site.database, [before.submission, after.submission])
    found("The whole stack ended and started again", "a form before, a form after", "no process left; 2 certificates")
