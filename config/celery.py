"""Background work: Celery over Redis. The database is the truth, a message only a hint."""

import logging
import logging.config
import os
import signal
import time
from contextlib import ExitStack
from typing import Any

from celery import Celery, Task
from celery.signals import (
    beat_init,
    before_task_publish,
    celeryd_after_setup,
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_process_shutdown,
)
from django.conf import settings

from config import heartbeats, queues
from connect import request_ids

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("mtls_rehearsal", task_cls="config.task_messages:SiteTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Beat, where this process is it.
_roles: set[str] = set()
# What belongs to the tasks that this process is at.
_contexts: dict[str, ExitStack] = {}


@worker_process_init.connect
def let_tasks_end(**_: Any) -> None:
    """Whoever ends a site tells all its processes; those at a task end it, and then their worker ends them."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@worker_process_init.connect
def prove_keys(**_: Any) -> None:
    """Each process of a worker proves the CA's keys before it takes its first task."""
    from certauthority.readiness import prove_keys_at_start  # noqa: PLC0415  the apps are loaded only now

    prove_keys_at_start()


@celeryd_after_setup.connect
def refuse_work_that_signs(instance: Any, **_: Any) -> None:
    """A worker that has no key must not take what signs: it would keep it from those that do."""
    if not settings.SIGNS and queues.SIGNING in instance.app.amqp.queues.consume_from:
        # No mere exception: of those, a signal's sender takes no notice.
        raise SystemExit(
            f"This worker does not sign (SIGNS=false), and cannot take the queue {queues.SIGNING}. Leave that queue to "
            "workers that have the CA's keys."
        )


@setup_logging.connect
def log_as_everybody(loglevel: int | None = None, **_: Any) -> None:
    """Workers and beat write their lines as the web server does; their own ones from the level that they were given."""
    logging.config.dictConfig(settings.LOGGING)
    if loglevel:
        logging.getLogger("celery").setLevel(loglevel)


@before_task_publish.connect
def send_along(headers: dict[str, Any], **_: Any) -> None:
    """A task carries the id of the request that caused it, and when it was sent."""
    headers["sent_at"] = time.time()
    if _roles:
        heartbeats.beat(heartbeats.BEAT)
    if request_id := request_ids.current():
        headers["request_id"] = request_id


@task_prerun.connect
def take_request_id(task_id: str, task: Task[Any, Any], **_: Any) -> None:
    """Each line of a task carries the id of the request that caused it, or a new one where none did."""
    _contexts[task_id] = context = ExitStack()
    context.enter_context(request_ids.working_on(str(task.request.get("request_id") or "")))


@task_postrun.connect
def leave_request_id(task_id: str, **_: Any) -> None:
    if context := _contexts.pop(task_id, None):
        context.close()


@beat_init.connect
def be_beat(**_: Any) -> None:
    """From now on each message that this process sends shows that beat is at work."""
    _roles.add(heartbeats.BEAT)


@heartbeat_sent.connect
def show_worker(**_: Any) -> None:
    """A worker is at work."""
    heartbeats.beat(heartbeats.WORKER)


@worker_process_shutdown.connect
def write_counts(**_: Any) -> None:
    """A process of a worker ends without Python's own ending."""
    from certauthority import counters  # noqa: PLC0415  the apps are loaded only now

    counters.flush()
