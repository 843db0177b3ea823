"""Find the certificates of which people must be told, and store what they are told.

Each company is judged at its own time. Rows are claimed a page at a time; in one transaction their notices are stored
and they are moved on to their next threshold. So each threshold is judged once, whatever crashes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from audit.statements import meanwhile
from certauthority.background import enqueue
from connect import webhooks
from connect.clock import company_time
from connect.expiry import rows
from connect.expiry.judgement import Judgement, judge
from connect.expiry.messages import messages, webhook_event
from connect.expiry.sources import Lifetime, Source, sources
from connect.models import Company, Notice

PAGE = 1000
_REAL_TIME = timedelta(0)


def scan(*, now: datetime) -> int:
    """Judge what is due of every company at the real moment ``now``. Returns how many notices go out."""
    return sum(pages(now=now))


def scan_company(company: Company, *, now: datetime) -> int:
    """Judge what is due of one company, at its own time of the real moment ``now``. How many notices go out."""
    return sum(company_pages(company, now=now))


def company_pages(company: Company, *, now: datetime) -> Iterator[int]:
    """The same a page in each step, as ``pages`` does it for all."""
    ahead = Company.objects.values_list("clock_ahead", flat=True).get(pk=company.pk)
    for source in sources():
        yield from _pages(source, ahead, company, now=now)


def pages(*, now: datetime) -> Iterator[int]:
    """Judge what is due of every company, a page in each step: how many notices of the page go out.

    Each step is a transaction of its own, so that whoever stops between two has lost nothing.
    """
    for ahead in _offsets():
        for source in sources():
            yield from _pages(source, ahead, None, now=now)


def _offsets() -> Iterator[timedelta]:
    """How far companies are ahead of real time: first not at all, then each other offset, the least first."""
    yield _REAL_TIME
    moved = (
        Company.objects.filter(clock_run__isnull=False).order_by("clock_ahead").values_list("clock_ahead", flat=True)
    )
    found = list(moved.distinct()[:PAGE])
    while found:
        yield from found
        found = list(moved.filter(clock_ahead__gt=found[-1]).distinct()[:PAGE]) if len(found) == PAGE else []


def _pages(source: Source, ahead: timedelta, company: Company | None, *, now: datetime) -> Iterator[int]:
    claimed = PAGE
    while claimed == PAGE:
        claimed, written = _page(source, ahead, company, now=now)
        yield written


@transaction.atomic
def _page(source: Source, ahead: timedelta, company: Company | None, *, now: datetime) -> tuple[int, int]:
    """Claim a page and judge it. How many rows it had, and how many notices of theirs go out."""
    keys = source.claim(ahead, now=now + ahead, limit=PAGE, company=company)
    if not keys:
        return 0, 0
    # A company's clock may have been moved since the rows were claimed: what is read now counts for all of it.
    lifetimes = source.find(keys)
    before = _judged_before(lifetimes)
    judged = [
        judge(
            lifetime,
            judged_before=before.get(lifetime.watched, ()) if before else (),
            now=company_time(lifetime.company, now),
        )
        for lifetime in lifetimes
    ]
    to = source.recipients([judgement.lifetime for judgement in judged])
    # The database moves the rows on while the notices are written. What was claimed and is not found has ended.
    with meanwhile():
        source.move_on(dict.fromkeys(keys) | {judgement.lifetime.key: judgement.next_at for judgement in judged})
        found = rows.rows_of((one for each in judged for one in messages(each, to[each.lifetime.key])), now=now)
    written = rows.store(found, now=now)
    _tell_webhooks(judged, now=now)
    if written:
        transaction.on_commit(_bring_forward)
    return len(keys), written


def _judged_before(lifetimes: Sequence[Lifetime]) -> Mapping[str, Collection[int]]:
    """The thresholds that are judged anew although they were judged, by how notices name the certificate.

    That is so where a clock run has ended (``Source.begin_again``): who has joined since is not told of them either.
    What was judged in real time is not judged anew in the next run, should that begin before any scan.
    """
    begun_again = {one.watched: one.company.clock_run for one in lifetimes if one.next_notice_at == one.since}
    if not begun_again:
        return {}
    found: dict[str, set[int]] = {}
    judged = Notice.objects.filter(watched__in=begun_again, threshold__isnull=False)
    for watched, run, days in judged.values_list("watched", "clock_run", "threshold").distinct():
        if run in (None, begun_again[watched]) and days is not None:
            found.setdefault(watched, set()).add(days)
    return found


def _tell_webhooks(judged: Sequence[Judgement], *, now: datetime) -> None:
    listening = webhooks.scopes_with_webhooks({one.lifetime.scope for one in judged if one.goes_out})
    if listening:
        heard = (one for one in judged if one.lifetime.scope in listening)
        webhooks.queue_events(event for one in heard if (event := webhook_event(one, now=now)) is not None)


def _bring_forward() -> None:
    """Tell a worker that mails are due: one message for a page."""
    from connect.tasks import deliver_found_notices  # noqa: PLC0415  tasks deliver what this module stores

    enqueue(deliver_found_notices)
