"""What a search in the inventory looks for: what people read in the table, in any column."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from kmp.models import EntryState, InventoryEntry
from kmp.serials import read_serial

# More of them find no more, and each costs a look at every row.
WORDS = 5
_DAYS = ("%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%d.%m.%Y")
_MONTHS = ("%Y-%m", "%b %Y", "%B %Y")


class Status(models.TextChoices):
    """An entry at a moment, in the order in which the table sorts. One that has been renewed is only that."""

    EXPIRED = "expired", "Expired"
    EXPIRING_SOON = "expiring_soon", "Expiring soon"
    ACTIVE = "active", "Active"
    RENEWED = "renewed", "Renewed"
    REVOKED = "revoked", "Revoked"


def status_of(entry: InventoryEntry, *, now: datetime) -> Status:
    """What the page shows of an entry now. ``Expiring soon`` is 0 to 30 days before the end, by the settings."""
    if entry.state == EntryState.RENEWED:
        return Status.RENEWED
    if entry.state == EntryState.REVOKED:
        return Status.REVOKED
    if entry.expires_at < now:
        return Status.EXPIRED
    return Status.EXPIRING_SOON if entry.expires_at < _end_of_soon(now) else Status.ACTIVE


def has_status(status: Status, *, now: datetime) -> Q:
    """The same as a condition."""
    soon = _end_of_soon(now)
    return {
        Status.EXPIRED: Q(state=EntryState.LIVE, expires_at__lt=now),
        Status.EXPIRING_SOON: Q(state=EntryState.LIVE, expires_at__gte=now, expires_at__lt=soon),
        Status.ACTIVE: Q(state=EntryState.LIVE, expires_at__gte=max(soon, now)),
        Status.RENEWED: Q(state=EntryState.RENEWED),
        Status.REVOKED: Q(state=EntryState.REVOKED),
    }[status]


def found_by(text: str, *, now: datetime) -> Q:
    """Entries in which every word stands somewhere, or of which the whole text is serial number, date or status.

    Of more than five words, only those of a serial number are looked for.
    """
    words = dict.fromkeys(text.lower().split())
    found = Q()
    for word in words:
        found &= Q(search_text__contains=word)
    serial = read_serial(text)
    if len(words) > WORDS:
        # A serial number with spaces. Nothing else that is as long is looked for.
        return _has_serial(serial) if serial else Q(pk__in=[])
    if serial and serial != text.lower():
        found |= _has_serial(serial)
        if all(serial in word for word in words):
            # One look at what has neither, instead of two.
            found = Q(search_text__contains=serial) & found
    for begin, end in _periods(text.strip()):
        found |= Q(issued_at__gte=begin, issued_at__lt=end) | Q(expires_at__gte=begin, expires_at__lt=end)
    for status in Status:
        if status.label.lower() == " ".join(text.lower().split()):
            found |= has_status(status, now=now)
    return found


def _has_serial(serial: str) -> Q:
    """In whose serial number these digits stand: the last word of what is searched, so that one index has it all."""
    return Q(search_text__contains=serial) & Q(search_text__regex=f"{serial}[^ ]*$")


def first_moment(day: date) -> datetime:
    """The beginning of a day in UTC."""
    return datetime.combine(day, time.min, UTC)


def last_moment(day: date) -> datetime:
    """The end of a day in UTC, without leaving the calendar on its last day."""
    return datetime.combine(day, time.max, UTC)


def _end_of_soon(now: datetime) -> datetime:
    # Days left are a difference of calendar dates, so the last of them counts to its end.
    return first_moment(now.astimezone(UTC).date() + timedelta(days=settings.EXPIRING_SOON_DAYS + 1))


def _periods(text: str) -> Iterator[tuple[datetime, datetime]]:
    """The day or month that the text names: its first moment, and the first after it."""
    for pattern in _DAYS:
        day = _read(text, pattern)
        if day is not None:
            yield day, day + timedelta(days=1)
    for pattern in _MONTHS:
        month = _read(text, pattern)
        if month is not None:
            yield month, (month + timedelta(days=31)).replace(day=1)


def _read(text: str, pattern: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None
    # Within these years nothing that is added leaves the calendar.
    return moment if 1900 <= moment.year < 9000 else None
