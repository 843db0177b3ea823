"""The gate before the site that browsers are served in tests."""

from __future__ import annotations

import time
from threading import Event, Thread

from django.core.handlers.wsgi import WSGIHandler

from tests.browsing import Gate

GUARD_SECONDS = 30


class SlowSite(WSGIHandler):
    """Answers when told to."""

    def __init__(self) -> None:
        self.entered, self.may_answer = Event(), Event()

    def __call__(self, environ: object, start_response: object) -> list[bytes]:  # type: ignore[override]
        self.entered.set()
        assert self.may_answer.wait(GUARD_SECONDS)
        return [b"answered"]


def test_who_is_inside_is_waited_for_and_nobody_else_comes_in() -> None:
    site, gate, answers, statuses = SlowSite(), Gate(), [], []
    door = gate.around(site)
    visitor = Thread(target=lambda: answers.append(door({}, lambda *_: None)))  # type: ignore[arg-type]
    visitor.start()
    assert site.entered.wait(GUARD_SECONDS)
    shutting = Thread(target=gate.shut)
    shutting.start()
    last_moment = time.monotonic() + GUARD_SECONDS
    while gate.is_open:
        assert time.monotonic() < last_moment
        time.sleep(0.01)
    site.entered.clear()
    assert door({}, lambda status, headers: statuses.append(status)) == []  # type: ignore[arg-type]
    assert statuses == ["503 Service Unavailable"]
    assert not site.entered.is_set()
    assert shutting.is_alive(), "somebody is inside"

    site.may_answer.set()
    shutting.join(GUARD_SECONDS)
    assert not shutting.is_alive()
    visitor.join(GUARD_SECONDS)
    assert answers == [[b"answered"]]
