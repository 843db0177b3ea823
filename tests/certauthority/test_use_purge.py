"""What was counted long ago is removed, by a real worker, and nothing else is."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from certauthority import tasks, use, use_purge
from certauthority.models import (
    CertificateUse,
    CertificateUseHour,
    CertificateUseMinute,
    CertificateUseSource,
    EndpointCall,
)
from certauthority.use_records import record_calls
from config.schedule import SCHEDULE
from tests.certauthority.seen_calls import NOON, make_certificate, seen

Worker = subprocess.Popen[bytes]
ALMOST = use_purge.KEPT - timedelta(minutes=1)


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.05)


def counts() -> tuple[int, int, int, int]:
    """Hours, minutes, sources and calls that are there."""
    return (
        CertificateUseHour.objects.count(),
        CertificateUseMinute.objects.count(),
        CertificateUseSource.objects.count(),
        EndpointCall.objects.count(),
    )


@pytest.mark.django_db
def test_what_is_older_than_ninety_days_goes_and_the_first_use_is_still_known() -> None:
    certificate = make_certificate()
    record_calls(
        [
            seen(certificate, NOON - use_purge.KEPT - timedelta(hours=1), address="10.0.0.1"),
            seen(certificate, NOON - ALMOST, address="10.0.0.2"),
        ]
    )
    assert use_purge.purge(now=NOON) == 3
    assert counts() == (1, 2, 1, 1)
    assert use.sources([certificate.pk])[certificate.pk][0].address == "10.0.0.2"
    assert CertificateUse.objects.get().first_used_at == NOON - use_purge.KEPT - timedelta(hours=1)
    assert use_purge.purge(now=NOON) == 0


@pytest.mark.django_db
def test_a_source_that_still_calls_is_kept_whole() -> None:
    certificate = make_certificate()
    record_calls([seen(certificate, NOON - timedelta(days=200)), seen(certificate, NOON)])
    use_purge.purge(now=NOON)
    (source,) = use.sources([certificate.pk])[certificate.pk]
    assert (source.first_at, source.accepted) == (NOON - timedelta(days=200), 2)


@pytest.mark.django_db
def test_minutes_go_after_two_hours() -> None:
    certificate = make_certificate()
    record_calls([seen(certificate, NOON - timedelta(minutes=minutes)) for minutes in (119, 120, 121, 200)])
    assert use_purge.purge_minutes(now=NOON) == 2
    assert counts()[1] == 2


@pytest.mark.django_db
def test_more_rows_than_a_page_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_purge, "_PAGE", 10)
    certificate = make_certificate()
    record_calls([seen(certificate, NOON - timedelta(days=100), address=f"10.0.0.{at}") for at in range(35)])
    assert use_purge.purge(now=NOON) == 1 + 35 + 35
    assert use_purge.purge_minutes(now=NOON) == 35
    assert counts() == (0, 0, 0, 0)


def test_a_worker_removes_it(celery_worker_process: Worker) -> None:
    certificate, now = make_certificate(), timezone.now()
    record_calls([seen(certificate, now - timedelta(days=91), address="10.0.0.1"), seen(certificate, now)])
    assert counts() == (2, 2, 2, 2)
    tasks.purge_use.delay()
    tasks.purge_use_minutes.delay()
    wait_until(lambda: counts() == (1, 1, 1, 1))


def test_beat_sends_both() -> None:
    scheduled = {entry["task"] for entry in SCHEDULE.values()}
    assert {tasks.purge_use.name, tasks.purge_use_minutes.name} <= scheduled
