"""Deliver whatever is due, for as long as one task may last."""

from __future__ import annotations

import time
from datetime import datetime
from enum import Enum, auto

from connect import delivery
from connect.delivery import Outcome

# Well below CELERY_TASK_SOFT_TIME_LIMIT: the last mail may wait for its server, too.
SECONDS = 60.0
_PAGE = 500


class RoundEnd(Enum):
    """Why a round came to its end."""

    NOTHING_DUE = auto()
    SERVER_AWAY = auto()
    TIME_OVER = auto()


def deliver_due(*, now: datetime, seconds: float = SECONDS) -> RoundEnd:
    """Send what is due at ``now``, a page of keys at a time, until nothing is left or so many seconds are over.

    The first mail that finds the mail server away ends it: the others stay due.
    """
    last_moment = time.monotonic() + seconds
    while True:
        keys = list(delivery.due(now=now).values_list("pk", flat=True)[:_PAGE])
        has_moved_on = False
        for key in keys:
            outcome = delivery.deliver(key, now=now)
            if outcome is Outcome.SERVER_AWAY:
                delivery.server_pause.begin()
                return RoundEnd.SERVER_AWAY
            has_moved_on = has_moved_on or outcome is not Outcome.NOT_DUE
            if time.monotonic() >= last_moment:
                return RoundEnd.TIME_OVER
        if not has_moved_on:  # What is still due is in the hands of another worker.
            return RoundEnd.NOTHING_DUE
