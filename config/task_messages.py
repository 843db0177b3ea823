"""Messages that nobody of ours has sent: a worker refuses each, logs it, and goes on with the next.

Celery refuses by itself what it does not know and what it may not read (`ContentDisallowed`). A body of another shape
than Celery's own ends its worker instead, and the next one, as the message is given back each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default
from kombu.exceptions import ContentDisallowed, DecodeError

_SAID = (InvalidTaskError, ContentDisallowed, DecodeError)


def strategy(task: Task[Any, Any], app: Any, consumer: Any, **named: Any) -> Callable[..., Any]:
    """Celery's own way to take a message, for which a misshapen one is an invalid task and not the end."""
    take = default(task, app, consumer, **named)

    def take_checked(*arguments: Any, **options: Any) -> Any:
        try:
            return take(*arguments, **options)
        except _SAID:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidTaskError(f"The message is not one of Celery's: {type(error).__name__}") from None

    return take_checked


class SiteTask(Task[Any, Any]):
    """The base of every task of the site."""

    Strategy = "config.task_messages:strategy"
