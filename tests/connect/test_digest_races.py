"""The weekly digest through Redis and workers: each person gets it once, however many write it at once."""

from __future__ import annotations

import subprocess
import threading
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.utils import timezone

from certauthority.models import Authority
from connect import tasks
from connect.expiry import digest, digest_run
from connect.models import DemoMail, Notice
from tests.connect.digests import ending, wants_digest
from tests.connect.test_notices import wait_until
from tests.factories import make_member, make_project, make_user
from tests.processes import celery_worker


def test_a_worker_writes_and_delivers_it(
    authorities: dict[str, Authority], celery_worker_process: subprocess.Popen[bytes]
) -> None:
    alice = make_user(email="alice@acme.example")
    ending(make_project(admin=alice), 10, "soon")
    wants_digest(alice)
    tasks.send_digests.delay()
    wait_until(lambda: DemoMail.objects.filter(address=alice.email).exists())
    assert "soon (Sandbox) expires in 10 days" in DemoMail.objects.get(address=alice.email).subject


def test_two_workers_at_once_send_each_once(
    authorities: dict[str, Authority], transactional_db: None, tmp_path: Path
) -> None:
    project = make_project(admin=make_user())
    ending(project, 10, "soon")
    people = [make_member(project) for _ in range(8)]
    for user in people:
        wants_digest(user)
    with celery_worker(tmp_path / "one.log"), celery_worker(tmp_path / "two.log"):
        for _ in range(6):
            tasks.send_digests.delay()
        wait_until(lambda: DemoMail.objects.filter(subject__startswith="Weekly").count() == len(people))
    assert Notice.objects.filter(kind=digest.KIND).count() == len(people)
    assert DemoMail.objects.filter(subject__startswith="Weekly").values("address").distinct().count() == len(people)


def test_two_at_the_same_moment_write_each_once(authorities: dict[str, Authority], transactional_db: None) -> None:
    project = make_project(admin=make_user())
    ending(project, 10, "soon")
    people = [make_member(project) for _ in range(12)]
    for user in people:
        wants_digest(user)
    now, begin, written = timezone.now(), threading.Barrier(2), []

    def run() -> None:
        with closing(connection):
            begin.wait(timeout=30)
            written.append(digest_run.send_due(now=now))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sum(written) == len(people)
    assert Notice.objects.filter(kind=digest.KIND).count() == len(people)
