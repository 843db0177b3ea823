"""The scan among 1,000,000 certificates: when nothing is due, and when 2,000 are, from the query to rows written.

A half are credentials of projects, a half entries of KMP's inventory. One person is told of each credential, an officer
and the group mailbox of each entry; each person by mail and by the bell. The baseline stores the same rows the way that
Django offers: objects, ``bulk_create`` and ``bulk_update``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from django.core.checks import run_checks
from django.db import connection, transaction
from django.utils import timezone

from bench.many_lifetimes import make_certificates, make_companies, make_due
from bench.report import Result, at_least, at_most, seconds
from certauthority.background import broker_pause
from connect.clock import company_time
from connect.expiry import scan
from connect.expiry.judgement import Judgement, judge
from connect.expiry.mail import subject_of
from connect.expiry.messages import event_of
from connect.expiry.sources import Source, sources
from connect.models import Channel, Notice, NoticeState
from connect.notices import Recipient, each_once

MANY, DUE = 1_000_000, 2_000
DUE_SECONDS, IDLE_MILLISECONDS, RATIO = 0.5, 20, 1.5
THRESHOLDS = (60, 30, 14)


def measure() -> Iterator[Result]:
    """The median of several scans; with what the server plans for each value, and with its generic plans."""
    now = timezone.now()
    make_certificates(MANY, owners=make_companies(now=now), now=now)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")
    for mode, label in (("auto", ""), ("force_generic_plan", ", generic plans")):
        with connection.cursor() as cursor:
            cursor.execute(f"SET plan_cache_mode = {mode}")
        scan.scan(now=now)
        spent = seconds(lambda: scan.scan(now=timezone.now()), times=9) * 1000
        yield at_most(f"scan of {MANY:,}, nothing due{label}", spent, IDLE_MILLISECONDS, "ms")
    with connection.cursor() as cursor:
        cursor.execute("RESET plan_cache_mode")
    yield from _due()


def _due() -> Iterator[Result]:
    ours: list[float] = []
    theirs: list[float] = []
    rows = 0
    # As Celery does when a worker starts, which loads the site's addresses: no scan of a worker's has to.
    run_checks()
    for days in THRESHOLDS:
        rows, spent = _timed(scan.scan, days)
        ours.append(spent)
        theirs.append(_timed(_by_objects, days)[1])
    ours.sort()
    yield at_most(
        f"scan of {MANY:,}, {DUE:,} due, to rows written", ours[len(ours) // 2], DUE_SECONDS, "s", f" ({rows:,} rows)"
    )
    yield at_least(
        "the same by Django's objects, against it", sum(theirs) / sum(ours), RATIO, f" ({sum(theirs):.2f} s)"
    )


def _timed(work: Callable[..., object], days: int) -> tuple[int, float]:
    """How many rows the work stores where so many certificates have reached this threshold today, and its seconds."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM connect_notice WHERE threshold IS NOT NULL")
    make_due(DUE, day=now.astimezone(UTC).date(), days_left=days)
    broker_pause.begin()  # There is none, and asking takes time.
    start = time.perf_counter()
    work(now=now)
    spent = time.perf_counter() - start
    told = Notice.objects.filter(threshold=days)
    if told.values("watched").distinct().count() != DUE:
        raise RuntimeError(f"{told.count()} notices tell of other certificates than those that are due")
    return told.count(), spent


def _by_objects(*, now: datetime) -> None:
    """The scan in real time, with an object for each certificate and each notice."""
    for source in sources():
        while _page_by_objects(source, now=now):
            continue


@transaction.atomic
def _page_by_objects(source: Source, *, now: datetime) -> bool:
    model = source.rows().model
    due = source.rows().filter(next_notice_at__lte=now, **{f"{source.company}__clock_run": None})
    due = due.order_by("next_notice_at", "pk").select_for_update(skip_locked=True, of=("self",))
    found = {row.pk: row for row in due.select_related(source.company, "certificate__authority")[: scan.PAGE]}
    lifetimes = source.find(list(found))
    to = source.recipients(lifetimes)
    notices: list[Notice] = []
    for lifetime in lifetimes:
        judged = judge(lifetime, now=company_time(lifetime.company, now))
        found[lifetime.key].next_notice_at = judged.next_at
        notices.extend(
            _notice(judged, recipient, channel, now=now)
            for recipient in each_once(to[lifetime.key])
            for channel in (Channel if recipient.user else [Channel.MAIL])
        )
    Notice.objects.bulk_create(notices, ignore_conflicts=True, batch_size=500)
    model._default_manager.bulk_update(found.values(), ["next_notice_at"], batch_size=500)
    return len(found) == scan.PAGE


def _notice(judged: Judgement, recipient: Recipient, channel: Channel, *, now: datetime) -> Notice:
    lifetime, days = judged.lifetime, judged.nearest or 0
    return Notice(
        event=event_of(judged, days),
        kind="connect.certificate-expires",
        channel=channel,
        address=recipient.address,
        recipient=recipient.user,
        company=lifetime.company,
        subject=subject_of(lifetime, days, now=judged.at),
        link=lifetime.act_url,
        state=NoticeState.SENT if channel is Channel.BELL else NoticeState.DUE,
        created_at=now,
        due_at=now,
        sent_at=now if channel is Channel.BELL else None,
        scope=lifetime.scope,
        watched=lifetime.watched,
        threshold=days,
        company_at=judged.at,
    )
