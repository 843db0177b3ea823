"""Send work to a worker. The database is the truth; a message only brings the work forward."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


class Pause:
    """Leaves a server alone for so many seconds after it did not answer. Each process has its own."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = 0.0

    @property
    def lasts(self) -> bool:
        """Whether the server is left alone now."""
        return time.monotonic() < self._ends_at

    def begin(self) -> None:
        """The server did not answer."""
        self._ends_at = time.monotonic() + self._seconds

    def end(self) -> None:
        """Ask the server again at the next opportunity."""
        self._ends_at = 0.0


# Somebody waits for the answer while a message is sent: a broker that hangs costs one of them its timeout, not each.
broker_pause = Pause(seconds=10)


def enqueue(task: Task[Any, Any], *arguments: int | str, seconds: float = 0) -> None:
    """Send a message, to be acted on in so many seconds.

    Where the broker is away, or was a moment ago, the work is not lost: a sweep finds it in the database.
    """
    if broker_pause.lasts:
        return
    try:
        if seconds > 0:
            task.apply_async(arguments, countdown=seconds)
        else:
            task.delay(*arguments)
    except OperationalError:
        broker_pause.begin()
        logger.warning("The broker is away; %s%s is left to the sweep.", task.name, arguments)
