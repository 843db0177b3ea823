"""Background work: Celery over Redis. The database is the truth, a message only a hint."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("mtls_rehearsal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def prove_keys(**_: Any) -> None:
    """Each process of a worker proves the CA's keys before it takes its first task."""
    from certauthority.readiness import prove_keys_at_start  # noqa: PLC0415  the apps are loaded only now

    prove_keys_at_start()
