"""Which worker takes what signs: each task goes to its queue, and a worker without keys leaves it alone."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from certauthority import background, revocation_lists, tasks
from certauthority.models import Authority, Certificate
from config import queues
from config.celery import app
from tests.broker import Broker
from tests.certauthority.ocsp_client import issue, revoke
from tests.processes import ROOT, celery_worker, site_environment

GUARD_SECONDS = 60


def wait_until(is_so: Callable[[], bool], said: Path) -> None:
    last_moment = time.monotonic() + GUARD_SECONDS
    while not is_so():
        assert time.monotonic() < last_moment, said.read_text(errors="replace")
        time.sleep(0.1)


def test_every_task_that_signs_exists() -> None:
    app.loader.import_default_modules()
    assert set(queues.SIGNING_TASKS) <= set(app.tasks)


@pytest.mark.parametrize("name", queues.SIGNING_TASKS)
def test_what_signs_goes_to_its_queue_from_beat_and_from_others(name: str, own_broker: Broker) -> None:
    app.loader.import_default_modules()
    task = app.tasks[name]
    wanted = [one for one in inspect.signature(task.run).parameters.values() if one.default is one.empty]
    with own_broker.running() as client:
        task.apply_async(("1",) * len(wanted))
        task.apply_async(("1",) * len(wanted), countdown=1)
        app.send_task(name)
        assert (client.llen(queues.SIGNING), client.llen(queues.ANYBODY)) == (3, 0)


def test_a_process_without_keys_sends_what_signs(own_broker: Broker) -> None:
    send = "from config.celery import app; app.loader.import_default_modules(); app.tasks[{!r}].delay()"
    with own_broker.running() as client:
        subprocess.run(
            [sys.executable, "-c", "import django; django.setup(); " + send.format("certauthority.tasks.tend_ocsp")],
            cwd=ROOT,
            env={
                **os.environ,
                "SIGNS": "false",
                "REDIS_URL": own_broker.url,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "PYTHONPATH": str(ROOT),
            },
            timeout=GUARD_SECONDS,
            check=True,
        )
        assert (client.llen(queues.SIGNING), client.llen(queues.ANYBODY)) == (1, 0)


def test_what_does_not_sign_goes_to_everybody(own_broker: Broker) -> None:
    with own_broker.running() as client:
        background.enqueue(tasks.lint_issued_certificates)
        assert (client.llen(queues.SIGNING), client.llen(queues.ANYBODY)) == (0, 1)


def test_what_beat_sends_of_the_ca_and_of_requests_signs() -> None:
    sent = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {
        "certauthority.tasks.tend_ocsp",
        "certauthority.tasks.publish_revocation_lists",
        "certauthority.tasks.sweep_revocations",
        "certauthority.tasks.make_ocsp_responses",
        "kmp.tasks.sweep_requests",
    } <= sent & set(queues.SIGNING_TASKS)


@pytest.mark.django_db(transaction=True)
def test_a_worker_without_keys_leaves_what_signs_to_one_that_has_them(
    authorities: dict[str, Authority], redis_client: redis.Redis, tmp_path: Path
) -> None:
    certificate = issue("queue")
    without, having = tmp_path / "without.log", tmp_path / "having.log"
    with celery_worker(without, SIGNS="false", CA_KEY_PASSPHRASE=""):
        revoke(certificate)
        tasks.lint_issued_certificates.delay()
        wait_until(lambda: Certificate.objects.filter(pk=certificate.pk, linted_at__isnull=False).exists(), without)
        assert redis_client.llen(queues.SIGNING) >= 1
        assert revocation_lists.pending(authorities["developers"]).exists()
        with celery_worker(having):
            wait_until(lambda: not revocation_lists.pending(authorities["developers"]).exists(), having)
            wait_until(lambda: redis_client.llen(queues.SIGNING) == 0, having)
    assert "cannot sign" not in without.read_text(), "it is not meant to"
    crl = revocation_lists.current(authorities["developers"])
    assert crl is not None
    assert (crl.entries, crl.next_update > timezone.now()) == (1, True)


@pytest.mark.django_db
def test_a_worker_without_keys_does_not_start_on_the_queue_of_what_signs() -> None:
    command = [sys.executable, "-m", "celery", "--app", "config", "worker", "--queues", "celery,signing"]
    done = subprocess.run(
        [*command, "--concurrency", "1"],
        cwd=ROOT,
        env={**site_environment(), "SIGNS": "false"},
        capture_output=True,
        text=True,
        timeout=GUARD_SECONDS,
        check=False,
    )
    assert done.returncode != 0
    assert "This worker does not sign (SIGNS=false), and cannot take the queue signing." in done.stderr
