"""Two beats against one Redis and one database: whatever is sent twice, or twenty times, is done once.

Both send the whole schedule of the site, shortened to seconds, and two workers take it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import redis
from django.utils import timezone

from audit.models import AuditEvent
from certauthority import revocation_lists, server_certificates
from certauthority.models import Authority, Certificate, OcspResponder, RevocationList
from config import queues
from config.schedule import SCHEDULE
from connect.expiry import digest
from connect.models import Channel, DemoMail, Notice, NoticeState, User
from kmp.applications import create_applications
from kmp.models import CertificateRequest, RequestState
from tests.certauthority.ocsp_client import issue, revoke
from tests.config.conftest import ROOT
from tests.connect.digests import ending, wants_digest
from tests.connect.factories import make_mail
from tests.factories import make_member, make_project, make_user
from tests.kmp.decisions import assert_signed_once, make_submitted, state_of
from tests.kmp.wizard import make_two_officers
from tests.processes import celery_worker, site_environment

GUARD_SECONDS = 120
ROUNDS = 3
READERS = 4
SENT = re.compile(r"Sending due task (.+) \(")


@contextmanager
def beat(folder: Path) -> Iterator[Path]:
    """One beat for as long as the block lasts, with a schedule file of its own; its log."""
    folder.mkdir()
    log = folder / "beat.log"
    arguments = ["--loglevel", "INFO", "--pidfile", "", "--schedule", str(folder / "schedule")]
    with open(log, "wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.config.short_schedule", *arguments],
            cwd=ROOT,
            env={**site_environment(), "SIGNS": "false", "CA_KEY_PASSPHRASE": ""},
            stdout=said,
            stderr=said,
        )
        try:
            yield log
        finally:
            process.terminate()
            process.wait(GUARD_SECONDS)


def wait_until(is_so: Callable[[], bool], *logs: Path) -> None:
    last_moment = time.monotonic() + GUARD_SECONDS
    while not is_so():
        assert time.monotonic() < last_moment, "\n".join(log.read_text(errors="replace")[-5000:] for log in logs)
        time.sleep(0.2)


def rounds_of(log: Path) -> int:
    """How often this beat has sent each entry of the schedule at least."""
    sent = SENT.findall(log.read_text(errors="replace"))
    return min(sent.count(name) for name in SCHEDULE)


def make_work() -> tuple[list[User], CertificateRequest]:
    """Something that is due for every kind of task, and of which no message tells."""
    create_applications()
    project = make_project(admin=make_user())
    ending(project, 10, "soon")
    readers = [make_member(project) for _ in range(READERS)]
    for reader in readers:
        wants_digest(reader)
        make_mail("", NoticeState.DUE, recipient=reader, subject="Waiting")
    revoke(issue("revoked"))
    an_hour_ago = timezone.now() - timedelta(hours=1)
    RevocationList.objects.update(this_update=an_hour_ago)
    OcspResponder.objects.all().delete()
    server_certificates.chain_path().unlink(missing_ok=True)
    return readers, make_submitted(make_two_officers()[0])


def test_what_two_beats_ask_for_is_done_once(
    transactional_db: None, authorities: dict[str, Authority], redis_client: redis.Redis, tmp_path: Path
) -> None:
    readers, request = make_work()
    redis_client.flushdb()  # No message of the work is left: the sweeps must find it.
    before = Certificate.objects.count()
    logs = [tmp_path / name for name in ("one.log", "two.log")]
    with celery_worker(logs[0]), celery_worker(logs[1]):
        with beat(tmp_path / "first") as first, beat(tmp_path / "second") as second:
            wait_until(lambda: state_of(request) == RequestState.SIGNED, *logs)
            wait_until(lambda: DemoMail.objects.filter(subject="Waiting").count() >= READERS, *logs)
            begun = [rounds_of(first), rounds_of(second)]
            wait_until(lambda: rounds_of(first) >= begun[0] + ROUNDS, first, *logs)
            wait_until(lambda: rounds_of(second) >= begun[1] + ROUNDS, second, *logs)
        wait_until(lambda: not any(map(redis_client.llen, (queues.ANYBODY, queues.SIGNING))), *logs)
    assert_each_list_was_made_once(authorities)
    assert_each_mail_went_out_once(readers)
    assert_signed_once(request)
    assert OcspResponder.objects.count() == len(authorities)
    certified = AuditEvent.objects.filter(action="authority.endpoint-certified")
    assert certified.count() == 1
    assert Certificate.objects.count() == before + len(authorities) + 2, "a responder of each CA, endpoint, request"


def assert_each_list_was_made_once(authorities: dict[str, Authority]) -> None:
    """The hour's CRL, and the revocation on it: one number more for each CA."""
    for name, authority in authorities.items():
        assert list(authority.revocation_lists.order_by("number").values_list("number", flat=True)) == [1, 2], name
    newest = revocation_lists.current(authorities["developers"])
    assert newest is not None
    assert newest.entries == 1


def assert_each_mail_went_out_once(readers: list[User]) -> None:
    """Mails that waited, digests, and what the scan of expiries found."""
    mails = DemoMail.objects
    for reader in readers:
        assert mails.filter(address=reader.email, subject="Waiting").count() == 1
        assert Notice.objects.filter(recipient=reader, kind=digest.KIND, channel=Channel.MAIL).count() == 1
    assert mails.filter(subject__startswith="Weekly").count() == READERS
    told = Notice.objects.filter(channel=Channel.MAIL).exclude(state=NoticeState.SKIPPED)
    assert set(told.values_list("state", flat=True)) == {NoticeState.SENT}
    assert mails.count() == told.count()
    once = told.values_list("event", "address")
    assert len(set(once)) == len(once)
