"""Send the weekly digest to who has asked for it: Mondays at 06:00 UTC of the time of the person's company.

Rows are the truth: each person's row says when the next one is due, and a digest is one notice of an event that names
person, week and clock run. Whatever runs twice, or at once, sends it once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from certauthority.background import enqueue
from connect.clock import company_time
from connect.expiry import digest
from connect.models import Channel, Company, Notice, NoticePreference, NoticeState, User
from connect.notices import Recipient, write
from connect.preferences import next_digest_at

PAGE = 50
NOTHING_DUE = f"Nothing that you may see expires in the next {digest.DUE_DAYS} days."
_WEEK = timedelta(days=7)


def send_due(*, now: datetime) -> int:
    """Write every digest whose moment has come, at the real moment ``now``. Returns how many mails go out."""
    return sum(pages(now=now))


def pages(*, now: datetime) -> Iterator[int]:
    """The same, a page of people in each step: how many mails of the page go out. A step is one transaction."""
    moved = Company.objects.filter(clock_run__isnull=False).order_by("clock_ahead")
    for ahead in [timedelta(0), *moved.values_list("clock_ahead", flat=True).distinct()]:
        claimed = PAGE
        while claimed == PAGE:
            claimed, written = _page(ahead, now=now)
            yield written


@transaction.atomic
def _page(ahead: timedelta, *, now: datetime) -> tuple[int, int]:
    """How many people were claimed, and how many mails to them go out."""
    found = _waiting(ahead, company_now=now + ahead).select_related("user__company").order_by("next_digest_at", "pk")
    if connection.features.has_select_for_update_skip_locked:
        found = found.select_for_update(skip_locked=True, of=("self",))
    claimed = list(found[:PAGE])
    rows = []
    for preference in claimed:
        company_now = company_time(preference.user.company, now)
        if preference.next_digest_at is not None and preference.next_digest_at <= company_now:
            rows.append(_notice(preference.user, now=now))
        preference.next_digest_at = next_digest_at(company_now)
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    NoticePreference.objects.bulk_update(claimed, ["next_digest_at"])
    written = sum(row.state == NoticeState.DUE for row in rows)
    if written:
        transaction.on_commit(_bring_forward)
    return len(claimed), written


def _waiting(ahead: timedelta, *, company_now: datetime) -> QuerySet[NoticePreference]:
    """Whose digest is due, or belongs to a time that is no more: after ``Start over`` the next Monday is an early one.

    Of people whose company's clock is so far ahead; who belongs to no company has real time.
    """
    clock = Q(user__company__clock_ahead=ahead)
    if not ahead:
        clock |= Q(user__company=None)
    moment = (
        Q(next_digest_at__lte=company_now) | Q(next_digest_at__gt=company_now + _WEEK) | Q(next_digest_at__isnull=True)
    )
    return NoticePreference.objects.filter(clock & moment, weekly_digest=True, user__is_active=True)


def _notice(user: User, *, now: datetime) -> Notice:
    """The mail, or where nothing is due a row that says so."""
    company_now = company_time(user.company, now)
    run = user.company.clock_run if user.company else None
    year, week, _ = company_now.isocalendar()
    items = digest.items_for(user, now=now)
    context = digest.context_of(items, user, now=now)
    first = context["first"]
    link = first.lifetime.url if isinstance(first, digest.Item) else reverse("connect:notice_settings")
    written = write(digest.KIND, recipient=Recipient(user.email, user), link=link, context=context)
    return Notice(
        id=uuid.uuid4(),
        event=f"digest:{user.pk}:{year}-W{week:02}:{run or 'real'}",
        kind=digest.KIND,
        channel=Channel.MAIL,
        address=user.email.lower(),
        recipient=user,
        company=user.company,
        subject=written.subject,
        text=written.text,
        html=written.html,
        link=link,
        state=NoticeState.DUE if items else NoticeState.SKIPPED,
        reason="" if items else NOTHING_DUE,
        unsubscribe=digest.unsubscribe_path(user),
        clock_run=run,
        company_at=company_now,
        created_at=now,
        due_at=now,
    )


def _bring_forward() -> None:
    from connect.tasks import deliver_found_notices  # noqa: PLC0415  the task that sends digests calls this module

    enqueue(deliver_found_notices)
