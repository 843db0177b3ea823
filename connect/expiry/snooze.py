"""Silence about one certificate until a day: asked for on its page, or by the signed link of a mail.

Days are of the company's own time. The link's age is of real time, as mails are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from audit.events import Actor, record
from certauthority.x509.profile import add_months
from connect.clock import company_time
from connect.expiry.sources import Lifetime, source_of
from connect.expiry.thresholds import first_after
from connect.models import Company, Watched

_SALT = "connect.expiry.snooze"
_LONGEST_TOKEN = 1000


class SnoozeRefused(Exception):
    """It cannot be snoozed. The text says why."""


class LinkForged(Exception):
    """Not a link of ours, or not whole."""


class LinkExpired(Exception):
    """A link of ours that is too old."""


@dataclass(frozen=True, slots=True)
class SnoozeLink:
    """What the link of a mail says: of which certificate, and to whom the mail went."""

    watched: str
    address: str


def snooze_url(lifetime: Lifetime, address: str) -> str:
    """The address of the page on which who got the mail can snooze this certificate, without signing in."""
    token = signing.dumps([lifetime.watched, address.lower()], salt=_SALT)
    return f"{settings.SITE_URL}{reverse('connect:snooze_link', args=[token])}"


def read_token(token: str) -> SnoozeLink:
    """What a link says.

    Raises:
        LinkExpired: it was made more than ``SNOOZE_LINK_DAYS`` days ago.
        LinkForged: it was not made here, or was changed on its way.
    """
    if len(token) > _LONGEST_TOKEN:
        raise LinkForged
    try:
        watched, address = signing.loads(token, salt=_SALT, max_age=timedelta(days=settings.SNOOZE_LINK_DAYS))
    except signing.SignatureExpired:
        raise LinkExpired from None
    except signing.BadSignature:
        raise LinkForged from None
    return SnoozeLink(watched, address)


def days_to_choose(*, now: datetime) -> tuple[date, date]:
    """The first and the last day that somebody can snooze until. ``now`` is the company's own time."""
    return now.astimezone(UTC).date() + timedelta(days=1), add_months(now, settings.SNOOZE_MOST_MONTHS).date()


def why_not(lifetime: Lifetime, *, now: datetime) -> str:
    """Why snoozing would be pointless; empty where it is not. ``now`` is the company's own time."""
    if first_after(lifetime.expires_at, now) is not None:
        return ""
    return f"No further notice about {lifetime.name} will come, so there is nothing to snooze."


def snooze(lifetime: Lifetime, *, until: date, by: str, actor: Actor, now: datetime) -> None:
    """Tell nobody of this certificate's end before the day ``until``. ``now`` is real time.

    Silence that is asked for in a clock run ends with it.

    Raises:
        SnoozeRefused: the day is out of range, no notice is left to come, or the certificate or the clock run that its
            page showed has ended meanwhile.
    """
    company_now = company_time(lifetime.company, now)
    first, last = days_to_choose(now=company_now)
    if not first <= until <= last:
        raise SnoozeRefused(f"Choose a day from {_in_words(first)} to {_in_words(last)}.")
    if reason := why_not(lifetime, now=company_now):
        raise SnoozeRefused(reason)
    if not _set(lifetime, until=until, by=by, actor=actor, now=now):
        raise SnoozeRefused(f"{lifetime.name} has ended meanwhile: no notice about it will come any more.")


def wake(lifetime: Lifetime, *, actor: Actor, now: datetime) -> None:
    """End the silence, if there is one: notices come again from the next threshold on. ``now`` is real time."""
    _set(lifetime, until=None, by="", actor=actor, now=now)


@transaction.atomic
def _set(lifetime: Lifetime, *, until: date | None, by: str, actor: Actor, now: datetime) -> bool:
    """Whether the certificate has not ended yet. What is asked for twice is one change, and one event."""
    source = source_of(lifetime)
    held = source.rows().select_related(source.company).select_for_update(of=("self",))
    row: Watched | None = held.filter(pk=lifetime.key).first()
    if row is None:
        return False
    before, run = row.snoozed_until, lifetime.company.clock_run
    # Read once the row is held: `Start over` ends the silence of its run and cannot do so between.
    if until is not None and run != Company.objects.values_list("clock_run", flat=True).get(pk=lifetime.company.pk):
        raise SnoozeRefused("The company’s clock was moved meanwhile. Look at what it shows, and choose a day again.")
    if before == until:
        return True
    row.snoozed_until, row.snoozed_by, row.snoozed_run = until, by, run if until is not None else None
    row.save(update_fields=["snoozed_until", "snoozed_by", "snoozed_run"])
    record(
        source.action("woken" if until is None else "snoozed"),
        actor=actor,
        on=source.audited(row),
        now=now,
        before={"snoozed_until": _iso(before)},
        after={"snoozed_until": _iso(until)},
    )
    return True


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
