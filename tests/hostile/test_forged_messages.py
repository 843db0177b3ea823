"""Somebody has reached Redis and sends workers messages of their own: what is signed is decided by the rows alone."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from kombu import Connection, Exchange, Queue

from certauthority.models import Authority, Certificate
from config.queues import SIGNING
from connect.models import User
from kmp.applications import create_applications
from kmp.models import CertificateRequest, RequestState
from tests.kmp.decisions import assert_signed_once, make_submitted, state_of
from tests.kmp.wizard import ended, make_draft, make_two_officers
from tests.processes import celery_worker

PATIENCE_SECONDS = 120
PROCESS = "kmp.tasks.process_request"


@pytest.fixture(autouse=True)
def _site(transactional_db: None, authorities: dict[str, Authority]) -> None:
    """Data that other processes see."""
    create_applications()


@pytest.fixture
def olga() -> User:
    return make_two_officers()[0]


class Trap:
    """Whoever unpickles it makes a directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self._path),)


def forge(task: str, body: bytes | str, *, content_type: str = "application/json", encoding: str = "utf-8") -> None:
    """Put a message of this body into the queue of those who sign, as Celery's own messages stand there."""
    headers = {"task": task, "id": str(uuid.uuid4()), "lang": "py", "retries": 0, "timelimit": [None, None]}
    queue = Queue(SIGNING, Exchange(SIGNING), routing_key=SIGNING)
    with Connection(settings.CELERY_BROKER_URL) as broker:
        broker.Producer().publish(
            body,
            exchange=queue.exchange,
            routing_key=SIGNING,
            declare=[queue],
            headers=headers,
            content_type=content_type,
            content_encoding=encoding,
            correlation_id=headers["id"],
        )


def called(*arguments: Any, **named: Any) -> str:
    """The body of a genuine message."""
    return json.dumps([arguments, named, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])


def wait_until(is_so: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
    last_moment = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert worker.poll() is None, "the worker lives"
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.2)


def has_no_work(client: redis.Redis) -> bool:
    return client.llen("celery") == client.llen(SIGNING) == client.hlen("unacked") == 0


def forge_everything(trap: Path, requests: list[CertificateRequest]) -> None:
    """Names that no task has, other serialisers, arguments of other types, and requests that may not be signed."""
    for name in ("os.system", "kmp.signing.sign", "celery.backend_cleanup", "certauthority.issuance.issue"):
        forge(name, called("true"))
    pickled = pickle.dumps(((Trap(trap),), {}, {}))
    forge(PROCESS, pickled, content_type="application/x-python-serialize", encoding="binary")
    forge(PROCESS, f"!!python/object/apply:os.mkdir ['{trap}']", content_type="application/x-yaml")
    for body in ("[not json", "{}", "[]", "1", "null", '"text"', "[1, 2, 3]", "[[], []]"):
        forge(PROCESS, body)
    wrong: tuple[Any, ...] = (None, 1, True, [], {"a": 1}, "", "x" * 100_000, "../../etc/passwd", "' OR 1=1 --", "\x00")
    for argument in wrong:
        forge(PROCESS, called(argument))
    forge(PROCESS, called())
    forge(PROCESS, called(str(uuid.uuid4())))
    for request in requests:
        forge(PROCESS, called(str(request.pk)))
        forge(PROCESS, called(str(request.pk), state="approved", decided_by="mallory"))
        forge(PROCESS, called(request.number))


def test_forged_messages_sign_nothing_and_the_worker_goes_on(
    olga: User, tmp_path: Path, redis_client: redis.Redis
) -> None:
    draft = make_draft(olga)
    cancelled = ended(make_draft(olga), RequestState.CANCELLED)
    rejected = ended(make_submitted(olga), RequestState.REJECTED)
    tampered = make_submitted(olga)
    CertificateRequest.objects.filter(pk=tampered.pk).update(csr=b"not what was submitted")
    before = {request.pk: state_of(request) for request in (draft, cancelled, rejected)}
    certificates = Certificate.objects.count()
    redis_client.flushdb()
    trap = tmp_path / "trap"
    forge_everything(trap, [draft, cancelled, rejected, tampered])
    said = tmp_path / "worker.log"
    with celery_worker(said) as worker:
        wait_until(lambda: has_no_work(redis_client), worker)
        wait_until(lambda: state_of(tampered) == RequestState.REJECTED, worker)
        assert {request.pk: state_of(request) for request in (draft, cancelled, rejected)} == before
        assert Certificate.objects.count() == certificates, "nothing was signed"
        genuine = make_submitted(olga)
        wait_until(lambda: state_of(genuine) == RequestState.SIGNED, worker)
    assert_signed_once(genuine)
    assert not trap.exists(), "nobody unpickled or read YAML"
    log = said.read_text()
    assert "Received unregistered task of type 'os.system'" in log
    assert "ContentDisallowed" in log
