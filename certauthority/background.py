"""Send work to a worker. The database is the truth; a message only brings the work forward."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def enqueue(task: Task[Any, Any], *arguments: int | str, seconds: float = 0) -> None:
    """Send a message, to be acted on in so many seconds.

    Where the broker is away the work is not lost: a sweep finds it in the database.
    """
    try:
        if seconds > 0:
            task.apply_async(arguments, countdown=seconds)
        else:
            task.delay(*arguments)
    except OperationalError:
        logger.warning("The broker is away; %s%s is left to the sweep.", task.name, arguments)
