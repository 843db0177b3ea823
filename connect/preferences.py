"""What a person chooses about notices: the weekly digest, and a calendar feed with a secret address.

``now`` is real time. Each change writes an audit event; the secret of an address is told once and stored as a digest.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, time, timedelta

from django.db import transaction

from audit.events import Actor, record
from connect.actors import audited_account
from connect.clock import company_time
from connect.models import NoticePreference, User

# Of the digest, in the company's time.
_WEEKDAY, _HOUR = 0, 6
_SECRET_BYTES = 32


def preference_of(user: User) -> NoticePreference:
    """What this person has chosen; who has no row has chosen nothing."""
    return NoticePreference.objects.filter(user=user).first() or NoticePreference(user=user)


def next_digest_at(moment: datetime) -> datetime:
    """The next Monday, 06:00 UTC, after a moment."""
    moment = moment.astimezone(UTC)
    days = (_WEEKDAY - moment.weekday()) % 7
    monday = datetime.combine(moment.date() + timedelta(days=days), time(_HOUR), UTC)
    return monday if monday > moment else monday + timedelta(days=7)


@transaction.atomic
def choose_digest(user: User, *, weekly: bool, actor: Actor, now: datetime) -> bool:
    """Get the weekly digest from next Monday on, or get it no more. Returns False where that was so already."""
    row = _held(user)
    if row.weekly_digest == weekly:
        return False
    row.weekly_digest = weekly
    row.next_digest_at = next_digest_at(company_time(user.company, now)) if weekly else None
    row.save(update_fields=["weekly_digest", "next_digest_at"])
    record(
        "account.digest-chosen",
        actor=actor,
        on=audited_account(user),
        now=now,
        before={"weekly_digest": not weekly},
        after={"weekly_digest": weekly},
    )
    return True


@transaction.atomic
def make_calendar_address(user: User, *, actor: Actor, now: datetime) -> str:
    """A new secret for the address of this person's calendar; the one before it opens nothing any more."""
    row = _held(user)
    had_one = bool(row.calendar_digest)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    row.calendar_digest, row.calendar_made_at = digest_of(secret), now
    row.save(update_fields=["calendar_digest", "calendar_made_at"])
    action = "account.calendar-renewed" if had_one else "account.calendar-made"
    record(action, actor=actor, on=audited_account(user), now=now)
    return secret


@transaction.atomic
def end_calendar_address(user: User, *, actor: Actor, now: datetime) -> bool:
    """The address opens nothing any more. Returns False where there was none."""
    row = _held(user)
    if not row.calendar_digest:
        return False
    row.calendar_digest, row.calendar_made_at = "", None
    row.save(update_fields=["calendar_digest", "calendar_made_at"])
    record("account.calendar-ended", actor=actor, on=audited_account(user), now=now)
    return True


def owner_of_calendar(secret: str) -> User | None:
    """Whose calendar has the address with this secret: nobody's who may not sign in or has left the company.

    It is found by its digest in an index, so that the time tells nothing about how much of a guess was right.
    """
    owners = User.objects.filter(is_active=True, company__isnull=False).select_related("company")
    return owners.filter(notice_preference__calendar_digest=digest_of(secret)).first()


def digest_of(secret: str) -> str:
    """How the secret of an address is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _held(user: User) -> NoticePreference:
    NoticePreference.objects.get_or_create(user=user)
    return NoticePreference.objects.select_for_update().get(user=user)
